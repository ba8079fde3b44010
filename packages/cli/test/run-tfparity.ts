import pc from 'picocolors';
import { runCli } from '../src/index.js';

/** Runs a command line on a terminal, of 24 lines and without colours unless asked: what it wrote, and the progress it told. */
export async function runTfparity(args: readonly string[], { rows = 24, colors = false } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const progress: string[] = [];
  const code = await runCli(args, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    progress: (text) => progress.push(text),
    rows,
    paint: pc.createColors(colors),
  });
  return { code, out, err, progress };
}
