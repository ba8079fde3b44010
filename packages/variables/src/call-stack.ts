/** One line of a call stack. */
export interface StackFrame {
  readonly text: string;
  readonly location: string;
}

/** The call stack of the caller's caller, without the lines of this package. */
export function callStack(): StackFrame[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  return stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ''))
    .filter((line) => !line.includes('node:internal'))
    .map((text) => ({ text, location: /\(?([^()\s]+:\d+:\d+)\)?$/.exec(text)?.[1] ?? '' }));
}

const OWN = /[\\/](variables[\\/](src|dist)|tfjs-(core|layers|node|backend-\w+)[\\/])/;

/** The innermost frame that is neither tfjs's nor this package's: the line of user code that led here. */
export function userFrame(stack: readonly StackFrame[]): StackFrame | undefined {
  return stack.find((frame) => frame.location !== '' && !OWN.test(frame.location));
}
