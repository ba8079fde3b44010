// Just enough of an assembler for WebAssembly to write the float32 kernel down readably: one memory, functions of a flat list of
// instructions. Numbers are those of the WebAssembly 2.0 binary format.

/** Value types of the binary format. */
export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** A value type. */
export type ValueType = keyof typeof TYPE;

/** A run of bytes that is one instruction, or several. */
export type Code = readonly (number | Code)[];

/** A whole number in LEB128, unsigned. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
const memory =
  (opcode: readonly number[], align: number) =>
  (address: Code, offset = 0): Code => [address, ...opcode, align, ...unsigned(offset)];
const store =
  (opcode: readonly number[], align: number) =>
  (address: Code, value: Code, offset = 0): Code => [address, value, ...opcode, align, ...unsigned(offset)];
const unary =
  (...opcode: number[]) =>
  (a: Code): Code => [a, ...opcode];
const binary =
  (...opcode: number[]) =>
  (a: Code, b: Code): Code => [a, b, ...opcode];

/** The instructions, as functions of their operands' code. */
export const op = {
  i32: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  sub: binary(0x6b),
  lessThan: binary(0x49),
  select: (a: Code, b: Code, condition: Code): Code => [a, b, condition, 0x1b],
  load: memory([0x28], 2),
  store: store([0x36], 2),
  storeF64: store([0x39], 3),
  f64Add: binary(0xa0),
  loadV: memory(simd(0), 4),
  storeV: store(simd(11), 4),
  splatI32: unary(...simd(17)),
  splatF32: unary(...simd(19)),
  lane: (a: Code, lane: number): Code => [a, ...simd(27), lane],
  laneF64: (a: Code, lane: number): Code => [a, ...simd(33), lane],
  eqF32: binary(...simd(65)),
  ltF32: binary(...simd(67)),
  leF32: binary(...simd(69)),
  not: unary(...simd(77)),
  and: binary(...simd(78)),
  or: binary(...simd(80)),
  xor: binary(...simd(81)),
  anyTrue: unary(...simd(83)),
  promoteLow: unary(...simd(95)),
  absF32: unary(...simd(224)),
  addF32: binary(...simd(228)),
  subF32: binary(...simd(229)),
  mulF32: binary(...simd(230)),
  divF32: binary(...simd(231)),
  pminF32: binary(...simd(234)),
  pmaxF32: binary(...simd(235)),
  addF64: binary(...simd(240)),
  addI32: binary(...simd(174)),
  subI32: binary(...simd(177)),
  minI32: binary(...simd(182)),
  maxI32: binary(...simd(184)),
  maxU32: binary(...simd(185)),
  leU32: binary(...simd(62)),
  shrI32: (a: Code, bits: Code): Code => [a, bits, ...simd(172)],
  shrU32: (a: Code, bits: Code): Code => [a, bits, ...simd(173)],
  absI32: unary(...simd(160)),
  convertI32: unary(...simd(250)),
  /** The upper half of a vector moved to the lower. */
  upper: (a: Code): Code => [a, a, ...simd(13), 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7],
} as const;

/** A function under construction: named locals, and code that reads and sets them. */
export class FunctionBuilder {
  readonly #types: ValueType[] = [];
  readonly #body: Code[] = [];

  constructor(
    readonly name: string,
    readonly parameters: readonly ValueType[],
    readonly result: ValueType | undefined,
  ) {}

  /** Code that reads a parameter. */
  parameter(index: number): Code {
    return [0x20, ...unsigned(index)];
  }

  /** A new local variable, 0 at first. */
  local(type: ValueType): { readonly get: Code; set(value: Code): Code; tee(value: Code): Code } {
    const index = unsigned(this.parameters.length + this.#types.push(type) - 1);
    return {
      get: [0x20, ...index],
      set: (value) => [value, 0x21, ...index],
      tee: (value) => [value, 0x22, ...index],
    };
  }

  emit(...code: Code[]): void {
    this.#body.push(...code);
  }

  /** Code that runs a body with a byte offset 0, step, 2 * step, … below `end`, at least once. */
  loop(end: Code, step: number, body: (offset: Code) => Code[]): Code {
    const at = this.local('i32');
    return [...this.#repeat(at, end, step, body(at.get))];
  }

  /** The same from `start` on. */
  loopFrom(start: Code, end: Code, step: number, body: (offset: Code) => Code[]): Code {
    const at = this.local('i32');
    return [at.set(start), ...this.#repeat(at, end, step, body(at.get))];
  }

  #repeat(at: ReturnType<FunctionBuilder['local']>, end: Code, step: number, body: Code[]): Code[] {
    const next = at.tee(op.add(at.get, op.i32(step)));
    return [[0x03, 0x40], ...body, op.lessThan(next, end), [0x0d, 0x00, 0x0b]];
  }

  /** The function's entry of the code section. */
  bytes(): number[] {
    const locals = this.#types.flatMap((type) => [1, TYPE[type]]);
    const body = [...unsigned(this.#types.length), ...locals, ...flatten(this.#body), 0x0b];
    return [...unsigned(body.length), ...body];
  }
}

function flatten(code: Code): number[] {
  const out: number[] = [];
  const visit = (part: number | Code): void => {
    if (typeof part === 'number') out.push(part);
    else for (const inner of part) visit(inner);
  };
  visit(code);
  return out;
}

/** The bytes of a module with one exported memory of so many pages and these exported functions. */
export function assemble(pages: number, functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content];
  const vector = (items: readonly number[][]): number[] => [...unsigned(items.length), ...items.flat()];
  const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
  const signature = (f: FunctionBuilder): number[] => [
    0x60,
    ...vector(f.parameters.map((type) => [TYPE[type]])),
    ...vector(f.result === undefined ? [] : [[TYPE[f.result]]]),
  ];
  const exported = functions.map((f, i) => [...text(f.name), 0, ...unsigned(i)]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(functions.map(signature))),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(5, vector([[0, ...unsigned(pages)]])),
    ...section(7, vector([[...text('memory'), 2, 0], ...exported])),
    ...section(10, vector(functions.map((f) => f.bytes()))),
  ]);
}
