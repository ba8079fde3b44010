import { OP_OUTPUT_NAMES } from './op-output-names-data.js';

let byOp: Map<string, readonly string[]> | undefined;

/** The names of an op's outputs, one for each entry of its signature's `outputs`, as a `FunctionDef` needs them. */
export function outputNames(op: string): readonly string[] {
  byOp ??= new Map(
    OP_OUTPUT_NAMES.split('\n').flatMap((line) => {
      const [names, ops] = line.split('|') as [string, string];
      const list = names.split(',');
      return ops.split(',').map((each): [string, readonly string[]] => [each, list]);
    }),
  );
  return byOp.get(op) ?? ['output'];
}
