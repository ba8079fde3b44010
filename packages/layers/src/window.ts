// Ports the check of GetWindowedOutputSizeFromDims (tensorflow/core/framework/common_shape_fns.cc, TF 2.21).
import { valueError } from './layers-error.js';

/**
 * Checks that a window fits into each spatial axis of an input whose channels are last, where nothing is padded.
 *
 * @param op  TensorFlow's name of the op, for the message
 * @param windows  lengths of the window
 * @throws {LayersError} `ValueError` in TensorFlow's words where it does not fit with 'valid' padding
 */
export function checkWindow(
  op: string,
  shape: readonly number[],
  windows: readonly number[],
  padding: string,
  dilations: readonly number[] = [],
): void {
  if (padding !== 'valid') return;
  windows.forEach((window, axis) => {
    const size = shape[axis + 1]!;
    const needed = (window - 1) * (dilations[axis] ?? 1) + 1;
    if (size >= needed) return;
    throw valueError(
      `Negative dimension size caused by subtracting ${needed} from ${size} for '${op}' with input shape [${shape}] ` +
        `and window [${windows}]; make the window smaller or pad with 'same'`,
      { op, shape, windows, dilations, axis: axis + 1 },
    );
  });
}
