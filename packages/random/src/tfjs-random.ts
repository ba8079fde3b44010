/** placeholder */
export function interceptTfjsRandom(_seed: unknown): Disposable {
  return { [Symbol.dispose]() {} };
}
