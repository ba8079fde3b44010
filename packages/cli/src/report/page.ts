import { html, Markup } from './markup.js';
import { secondsText } from './number-text.js';
import type { Block, Figure, Outcome, ReportDocument, Section, Table } from './report-document.js';
import { STYLESHEET } from './stylesheet.js';

const SIGNS: Readonly<Record<Outcome, string>> = { same: '✓', different: '✗', unclear: '?' };
const WORDS: Readonly<Record<Outcome, string>> = { same: 'same', different: 'different', unclear: 'could not tell' };

function badge({ outcome, word }: Section): Markup {
  const sign = word === undefined ? SIGNS[outcome] : '–';
  return html`<span class="badge ${outcome}"><span aria-hidden="true">${sign} </span>${word ?? WORDS[outcome]}</span>`;
}

/** A table that scrolls by itself where the page is too narrow; the scrolling part takes the keyboard's focus. */
function tableMarkup(table: Table): Markup {
  const { caption, columns, rows, omitted = 0 } = table;
  const figures = columns.map((column) => (column.figures ? new Markup(' class="figures"') : ''));
  const body = rows.map(([head, ...cells]) => {
    const others = cells.map((cell, i) => html`<td${figures[i + 1]}>${cell}</td>`);
    return html`<tr><th scope="row"${figures[0]}>${head}</th>${others}</tr>`;
  });
  const heads = columns.map((column, i) => html`<th scope="col"${figures[i]}>${column.title}</th>`);
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table>${omitted > 0 && html`<p>… and ${omitted} more</p>`}</div>`;
}

function figureMarkup({ title, description, narrow, wide, table, key }: Figure): Markup {
  return html`<figure><figcaption><b>${title}</b>${description}</figcaption>
${key && html`<ul class="key" aria-hidden="true">${key.map((item) => html`<li>${new Markup(item.symbol)}${item.name}</li>`)}</ul>`}
<div class="narrow">${new Markup(narrow)}</div><div class="wide">${new Markup(wide)}</div>
<details><summary>${title}: the numbers</summary>${tableMarkup(table)}</details></figure>`;
}

function blockMarkup(block: Block): Markup {
  if (block.kind === 'figure') return figureMarkup(block.figure);
  if (block.kind === 'lines') return html`<ul class="lines">${block.lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  if (block.open) return tableMarkup(block.table);
  return html`<details><summary>${block.table.caption}</summary>${tableMarkup(block.table)}</details>`;
}

function sectionMarkup(section: Section): Markup {
  const heading = `${section.id}-heading`;
  return html`<section class="card" id="${section.id}" aria-labelledby="${heading}"><div class="head">
<h2 id="${heading}">${section.title}</h2>${badge(section)}
<span class="id">${section.id}${section.seconds !== undefined && ` · ${secondsText(section.seconds)}`}</span></div>
${section.blocks.map(blockMarkup)}</section>`;
}

function contents(sections: readonly Section[]): Markup {
  const items = sections.map(
    (section) =>
      html`<li><span>${badge(section)}</span><a href="#${section.id}">${section.title}</a><span class="finding">${section.finding}</span></li>`,
  );
  return html`<nav class="card" aria-labelledby="contents"><h2 id="contents">What was checked</h2><ol class="contents">${items}</ol></nav>`;
}

/** The document as one HTML page that asks nothing of any server and runs no script. */
export function pageOf(document: ReportDocument): string {
  const { title, outcome, headline, summary, overview, sections, environment } = document;
  const facts = environment.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${WORDS[outcome]} – ${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><style>${new Markup(STYLESHEET)}</style></head>
<body><a class="skip" href="#main">Skip to the results</a>
<header><h1>${title}</h1>
<div class="verdict ${outcome}"><strong><span aria-hidden="true">${SIGNS[outcome]} </span>${headline}</strong>
${summary.map((line) => html`<p>${line}</p>`)}</div></header>
<main id="main">${sections.length > 1 && contents(sections)}
${overview.length > 0 && html`<section class="card" aria-labelledby="overview"><h2 id="overview">Overview</h2>${overview.map(blockMarkup)}</section>`}
${sections.map(sectionMarkup)}
${facts.length > 0 && html`<section class="card" aria-labelledby="environment"><h2 id="environment">Environment and versions</h2><dl>${facts}</dl></section>`}
</main><footer>Made by tfparity. This page is complete in itself: it loads nothing and runs no script.</footer></body></html>
`;
  return page.text;
}
