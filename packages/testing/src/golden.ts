import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

const workspace = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
// A relative path is meant from the workspace, wherever the tests of a package run.
const root = resolve(workspace, process.env['TFPARITY_GOLDEN'] ?? 'golden');
if (!existsSync(root)) throw new Error(`TFPARITY_GOLDEN: there is no folder ${root}`);

/** The path of a golden file or folder, whether it is there or not: `goldenPath('nets/inception_resnet_v2.infer.json')`. */
export function goldenPath(name: string): string {
  return join(root, name);
}

/** A golden JSON file, parsed; the caller says what it holds. */
export function goldenJson<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8')) as T;
}

/** The names of the files in a golden folder that end as asked, sorted; empty where the folder is absent. */
export function goldenFiles(folder: string, ending = ''): string[] {
  const path = goldenPath(folder);
  return existsSync(path)
    ? readdirSync(path)
        .filter((name) => name.endsWith(ending))
        .sort()
    : [];
}

/** A `describe` over a golden file; where the file is absent, it is reported as skipped, by its name. */
export function describeGolden(name: string, body: () => void): void {
  if (existsSync(goldenPath(name))) describe(`golden/${name}`, body);
  else {
    console.warn(`skipped: golden/${name} is not in ${root}`);
    describe.skip(`golden/${name} (absent)`, () => {
      // A suite needs a test to be listed.
      it('is not in this golden folder', () => {});
    });
  }
}
