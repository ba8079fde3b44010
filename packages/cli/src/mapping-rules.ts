import type { Checkpoint, LayoutRule, RenameRule } from '@tfparity/checkpoint';
import { CliError } from './cli-error.js';
import type { CommandOptions } from './command.js';
import { renameRules } from './sources.js';

/** What `--rename` asks for: changes of layout, by the names of the file that is read, and then renames. */
export interface MappingRules {
  readonly layouts: readonly LayoutRule[];
  readonly renames: readonly RenameRule[];
}

/** The rules of `--rename`: `from=to`, or JSON files of renames and layout rules. @throws {CliError} */
export function mappingRules(options: CommandOptions): MappingRules {
  const all = renameRules(options) as readonly (RenameRule | LayoutRule)[];
  const isLayout = (rule: RenameRule | LayoutRule): rule is LayoutRule =>
    typeof rule === 'object' && rule !== null && 'layout' in rule;
  return { layouts: all.filter(isLayout), renames: all.filter((rule) => !isLayout(rule)) as RenameRule[] };
}

/** Every rule must do something: one that fits no name was misspelt. */
async function checkRenames(renames: readonly RenameRule[], names: readonly string[], path: string): Promise<void> {
  const { nameMap } = await import('@tfparity/checkpoint');
  for (const rule of renames) {
    const map = nameMap([rule]);
    const fits = (name: string): boolean =>
      'exact' in rule
        ? name === rule.exact
        : 'prefix' in rule
          ? name.startsWith(rule.prefix)
          : map.apply(name) !== name;
    if (!names.some(fits)) throw new CliError('Usage', `--rename ${JSON.stringify(rule)} fits no name in ${path}`);
  }
}

/** Layout rules the other way; those that need what was there before cannot be turned around from the file alone. */
function turnedAround(layouts: readonly LayoutRule[]): LayoutRule[] {
  return layouts
    .map((rule): LayoutRule => {
      if (rule.layout === 'transpose') return { ...rule, perm: rule.perm.map((_, axis) => rule.perm.indexOf(axis)) };
      if (rule.layout === 'split') {
        return { layout: 'concatenate', tensors: rule.to, to: rule.tensor, axis: rule.axis };
      }
      const what = rule.layout === 'cast' ? 'which dtype it had' : 'how long its parts were';
      throw new CliError(
        'Usage',
        `--inverse: a rule '${rule.layout}' does not say ${what}; write the rule that undoes it`,
      );
    })
    .reverse();
}

/** The checkpoint with the rules applied, or undone. @throws {CliError} for a rule that fits nothing */
export async function mapByRules(
  checkpoint: Checkpoint,
  { layouts, renames }: MappingRules,
  inverse: boolean,
): Promise<Checkpoint> {
  if (layouts.length + renames.length === 0) return checkpoint;
  const { mapCheckpoint, nameMap } = await import('@tfparity/checkpoint');
  const names = nameMap(renames);
  const { location } = checkpoint;
  const namesOf = ({ entries }: Checkpoint): string[] => entries.map(({ name }) => name);
  if (inverse) {
    const back = names.inverse();
    await checkRenames(back.rules, namesOf(checkpoint), location);
    return mapCheckpoint(mapCheckpoint(checkpoint, { names: back }), { layouts: turnedAround(layouts) });
  }
  const changed = mapCheckpoint(checkpoint, { layouts });
  await checkRenames(renames, namesOf(changed), location);
  return mapCheckpoint(changed, { names });
}
