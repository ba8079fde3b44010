import { type ErrorDetails, TfparityError } from '@tfparity/array';

/**
 * What went wrong: `NotFound` (a file, or a tensor by name), `Io` (the system or the server refused), `NotACheckpoint`
 * (bytes of no known format), `Corrupt` (a checksum, count, offset or length that cannot be), `Unsupported` (valid, but
 * not read or written here), `Mismatch` (shapes or dtypes of the two sides differ), `Conflict` (two names for one
 * place), `InvalidArgument` (the call itself).
 */
export type CheckpointErrorCode =
  | 'NotFound'
  | 'Io'
  | 'NotACheckpoint'
  | 'Corrupt'
  | 'Unsupported'
  | 'Mismatch'
  | 'Conflict'
  | 'InvalidArgument';

/** Where in a checkpoint something was found: each field is there when it is known. */
export interface Where {
  readonly file?: string;
  /** In bytes from the start of the file. */
  readonly offset?: number;
  readonly tensor?: string;
}

/** Every error of this package; `file`, `offset` and `tensor` say where, as far as it is known. */
export class CheckpointError extends TfparityError<CheckpointErrorCode> {
  override readonly name = 'CheckpointError';

  constructor(
    code: CheckpointErrorCode,
    message: string,
    readonly where: Where = {},
    details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(code, prefixed(message, where), { ...where, ...details }, options);
  }

  /** The file that is at fault. */
  get file(): string | undefined {
    return this.where.file;
  }

  /** The byte of that file at or after which the fault lies. */
  get offset(): number | undefined {
    return this.where.offset;
  }

  /** The tensor that was read or written. */
  get tensor(): string | undefined {
    return this.where.tensor;
  }
}

function prefixed(message: string, { file, offset, tensor }: Where): string {
  const at = offset === undefined ? '' : ` at byte ${offset}`;
  const place = file === undefined ? '' : `${file}${at}: `;
  return `${place}${tensor === undefined ? '' : `tensor ${JSON.stringify(tensor)}: `}${message}`;
}

/** Whether `error` is a `CheckpointError`, from whichever copy of this package. */
export function isCheckpointError(error: unknown): error is CheckpointError {
  return error instanceof Error && error.name === 'CheckpointError' && 'code' in error && 'details' in error;
}

/** The error for bytes that cannot be what they claim. */
export function corrupt(message: string, where: Where, details: ErrorDetails = {}): CheckpointError {
  return new CheckpointError('Corrupt', message, where, details);
}
