/** Text that is HTML already; everything else is escaped where it is put into HTML. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What can stand in a template: text and numbers are escaped, `false` and nothing are left out, lists are joined. */
export type Content = string | number | boolean | null | undefined | Markup | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (Array.isArray(content)) return content.map(render).join('');
  if (content === null || content === undefined || typeof content === 'boolean') return '';
  return String(content).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** HTML from a template. Names of tensors and files come from strangers, so whatever is put in is escaped. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(strings.map((string, i) => string + (i < contents.length ? render(contents[i]) : '')).join(''));
}
