function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Runs `body`, then `close`, however the body ends; a promise is waited for. The body's error goes first. */
export function closeAround<R>(body: () => R, close: () => void): R {
  const failed = (error: unknown): never => {
    try {
      close();
    } catch {
      // The scope that the body left open is a consequence; its error is the cause.
    }
    throw error;
  };
  let result: R;
  try {
    result = body();
  } catch (error) {
    return failed(error);
  }
  if (!isPromise(result)) {
    close();
    return result;
  }
  return result.then((value) => {
    close();
    return value;
  }, failed) as R;
}
