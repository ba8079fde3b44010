/** A line of the user's program. */
export interface CallSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const FRAME = /\(?((?:file:\/\/)?[^()\s]+):(\d+):(\d+)\)?$/;

/** Whether a file is TensorFlow.js's, node's or this package's own, and so says nothing of the user's program. */
function isInternal(file: string): boolean {
  return (
    file.includes('@tensorflow/') ||
    file.startsWith('node:') ||
    /[\\/]graph[\\/](?:src|dist)[\\/]/.test(file) ||
    /[\\/]@tfparity[\\/]graph[\\/]/.test(file)
  );
}

/** The innermost frame of a stack that is neither TensorFlow.js's nor this package's own. */
export function firstCallOutside(stack: string | undefined): CallSite | undefined {
  for (const text of stack?.split('\n').slice(1) ?? []) {
    const match = FRAME.exec(text.trim());
    if (match !== null && !isInternal(match[1]!)) {
      return { file: match[1]!.replace(/^file:\/\//, ''), line: Number(match[2]), column: Number(match[3]) };
    }
  }
  return undefined;
}
