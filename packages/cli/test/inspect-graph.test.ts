import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTfparity } from './run-tfparity.js';

/** A field of a protobuf message that holds bytes or text shorter than 128. */
const field = (id: number, value: string | Uint8Array): Uint8Array => {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return Uint8Array.of(id * 8 + 2, bytes.length, ...bytes);
};

/** A node of a `GraphDef`: its name, op and inputs. */
const node = (name: string, op: string, ...inputs: string[]): Uint8Array =>
  field(1, Uint8Array.from([field(1, name), field(2, op), ...inputs.map((i) => field(3, i))].flatMap((f) => [...f])));

describe('inspect of a graph from a stranger', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tfparity-cli-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function inspect(name: string, bytes: Uint8Array, ...flags: string[]) {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    return runTfparity(['inspect', file, ...flags]);
  }

  const graph = Uint8Array.from(
    [
      node('path', 'Placeholder'),
      node('read', 'ReadFile', 'path'),
      node('py', 'PyFunc', 'read'),
      node('mine', 'MyCustomOp', 'py'),
    ].flatMap((each) => [...each]),
  );

  it('names the ops that it would not run, and those that TensorFlow has not', async () => {
    const { code, out } = await inspect('unsafe.pb', graph);
    expect(code).toBe(0);
    const text = out.join('\n');
    expect(text).toContain('unsafe ops (2):');
    expect(text).toContain('ReadFile at read: reads files');
    expect(text).toContain('PyFunc at py: runs Python');
    expect(text).toMatch(/unknown ops \(1\):\n {4}MyCustomOp/);
  });

  it('says the same as data', async () => {
    const { out } = await inspect('unsafe.pb', graph, '--json');
    const data = JSON.parse(out.join('\n')) as { unsafeOps: { op: string }[]; unknownOps: string[] };
    expect(data.unsafeOps.map(({ op }) => op)).toEqual(['ReadFile', 'PyFunc']);
    expect(data.unknownOps).toEqual(['MyCustomOp']);
  });

  it('could not tell where the file is cut', async () => {
    const { code, err } = await inspect('cut.pb', graph.subarray(0, graph.length - 3));
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(/bytes end|before a value does/);
  });
});
