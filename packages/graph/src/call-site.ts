/** A line of the user's program. */
export interface CallSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const FRAME = /\(?((?:file:\/\/)?[^()\s]+):(\d+):(\d+)\)?$/;

/** The packages through which an op is made: their lines say nothing of the program that asked for it. */
const MACHINERY = /[\\/](?:graph|layers|random|training|variables)[\\/](?:src|dist)[\\/]/;

/** Whether a file is TensorFlow.js's, node's or part of the machinery, and not of the program. */
function isInternal(file: string): boolean {
  return /@tensorflow[\\/+]/.test(file) || file.startsWith('node:') || MACHINERY.test(file);
}

/** The innermost frame of a stack that is neither TensorFlow.js's nor of the packages that make ops. */
export function firstCallOutside(stack: string | undefined): CallSite | undefined {
  for (const text of stack?.split('\n').slice(1) ?? []) {
    const match = FRAME.exec(text.trim());
    if (match !== null && !isInternal(match[1]!)) {
      return { file: match[1]!.replace(/^file:\/\//, ''), line: Number(match[2]), column: Number(match[3]) };
    }
  }
  return undefined;
}
