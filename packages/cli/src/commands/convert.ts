import type { Checkpoint, WriteFormat } from '@tfparity/checkpoint';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import { checkTarget, formatOf, type TargetFormat } from '../convert-target.js';
import { mapByRules, mappingRules } from '../mapping-rules.js';
import { objectTree } from '../object-paths.js';
import { ownNames } from '../pair-names.js';
import { objectPath, openArrays } from '../sources.js';
import { bytesText, type Terminal, verdictLine } from '../terminal.js';

/** What is to be written: the tensors under their new names, and how many of them there will be. */
interface Selection {
  readonly checkpoint: Checkpoint;
  /** Whether every tensor is taken as it is: then the objects of an object-based checkpoint are, too. */
  readonly whole: boolean;
}

async function select(source: Checkpoint, from: string, options: CommandOptions): Promise<Selection> {
  const { mapCheckpoint } = await import('@tfparity/checkpoint');
  const rules = mappingRules(options);
  const mapped = await mapByRules(source, rules, options['inverse'] === true);
  const part = textOption(options, 'filter');
  const filter = ({ name }: { readonly name: string }): boolean => part === undefined || name.includes(part);
  const chosen = mapped.entries.filter(filter).length;
  if (chosen === 0) throw new CliError('Usage', `${from} has no tensor whose name contains '${part ?? ''}'`);
  const lost = mapped.unreadable.filter(filter);
  if (lost.length > 0) {
    const { name, dtype } = lost[0]!;
    throw new CliError('Usage', `${from}: ${name} is a ${dtype}, which is not read here; leave it out by --filter`);
  }
  const checkpoint = part === undefined ? mapped : mapCheckpoint(mapped, { filter });
  return { checkpoint, whole: checkpoint === source };
}

/** Names for formats without objects: the variables' own, where they tell them apart, else the objects' paths. */
async function byName(source: Checkpoint, { checkpoint, whole }: Selection): Promise<Checkpoint> {
  if (!source.objectGraph) return checkpoint;
  const { mapCheckpoint, nameMap } = await import('@tfparity/checkpoint');
  const paths = checkpoint.entries.map(({ name }) => objectPath(name));
  const own = whole ? checkpoint.entries.map(ownNames(checkpoint)) : paths;
  const unique = [own, paths].find((names) => new Set(names).size === names.length);
  if (!unique) return checkpoint;
  const renames = checkpoint.entries.map(({ name }, i) => ({ exact: name, to: unique[i]! }));
  return mapCheckpoint(checkpoint, { names: nameMap(renames.filter(({ exact, to }) => exact !== to)) });
}

async function write(
  source: Checkpoint,
  selection: Selection,
  to: string,
  format: TargetFormat,
  terminal: Terminal,
): Promise<number> {
  const { writeCheckpoint, writeObjectCheckpoint } = await import('@tfparity/checkpoint');
  const { checkpoint, whole } = selection;
  const total = checkpoint.entries.length;
  let records = 0;
  const progress = (name: string): void => terminal.progress(`${Math.min(++records, total)} of ${total}: ${name}`);
  if (format === 'object' && !(whole && source.objectGraph)) {
    const fullNames = new Map(checkpoint.entries.flatMap(({ name, fullName }) => (fullName ? [[name, fullName]] : [])));
    await writeObjectCheckpoint(to, objectTree(checkpoint, fullNames, source.objectGraph !== undefined), { progress });
    // All but the record of the objects themselves.
    return records - 1;
  }
  const tensors = format === 'object' ? checkpoint : await byName(source, selection);
  await writeCheckpoint(to, tensors, { format: format === 'object' ? 'V2' : (format satisfies WriteFormat), progress });
  return total;
}

/** `tfparity convert FROM TO`: a checkpoint in another format. */
export const convert: CommandRun = async ([from, to], options, terminal) => {
  const asked = formatOf(to!, options);
  const { openCheckpoint } = await import('@tfparity/checkpoint');
  const source = await openArrays(from!);
  try {
    const format = asked ?? (source.objectGraph ? 'object' : 'V2');
    checkTarget(to!, format, options['force'] === true);
    const expected = await write(source, await select(source, from!, options), to!, format, terminal);
    const written = await openCheckpoint(to!);
    const tensors = written.entries.length;
    const bytes = written.entries.reduce((sum, entry) => sum + entry.bytes, 0);
    await written.close();
    if (tensors !== expected) {
      throw new CliError(
        'Io',
        `${to} has ${tensors} tensors, ${expected} were written: another program writes there too`,
      );
    }
    const line = `${to}: ${written.format}, ${tensors} tensors, ${bytesText(bytes)}`;
    return {
      outcome: 'same',
      data: { from, to, format, tensors, bytes },
      lines: [verdictLine(terminal, 'same', line)],
    };
  } finally {
    await source.close();
  }
};
