import { GraphError } from '../graph-error.js';

/** The error for bytes that are not what they should be: what is wrong, and how far in (bytes from the message's start). */
export function malformed(what: string, offset: number): GraphError {
  return new GraphError('Malformed', `malformed protobuf: ${what} (at byte ${offset} of its message)`, { offset });
}
