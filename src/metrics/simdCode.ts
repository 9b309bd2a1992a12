// WebAssembly opcodes, under the names of the specification (webassembly.github.io/spec, "Binary Format").
const I32 = 0x7f;
const V128 = 0x7b;
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const addTo = (local: number, amount: readonly number[]) => [
  ...get(local),
  ...amount,
  0x6a, // i32.add
  ...set(local),
];
const constant = (value: number) => [0x41, value]; // i32.const, of one byte: 0 … 63
const vector = (opcode: number, ...rest: number[]) =>
  opcode < 128 ? [0xfd, opcode, ...rest] : [0xfd, opcode, 0x01, ...rest];
const load = vector(0x00, 4, 0); // v128.load, aligned to 16 bytes
const zero = vector(0x0c, ...new Array<number>(16).fill(0)); // v128.const
const addVectors = vector(0xe4); // f32x4.add
const multiplyVectors = vector(0xe6); // f32x4.mul
const lane = (index: number) => vector(0x1f, index); // f32x4.extract_lane
const addFloats = [0x92]; // f32.add
const storeFloat = (offset: number) => [0x38, 2, offset]; // f32.store

/** `body`, and again while local `at` < local `end` (unsigned). */
const repeat = (body: readonly number[], at: number, end: number) => [
  ...[0x03, 0x40], // loop
  ...body,
  ...[...get(at), ...get(end), 0x49], // i32.lt_u
  ...[0x0d, 0, 0x0b], // br_if 0, end
];

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
const sized = (bytes: readonly number[]) => [...leb(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)];
const text = (word: string) => sized([...word].map((letter) => letter.charCodeAt(0)));

// Parameters, all addresses and sizes in bytes, then locals.
const [A, A_END, B, B_END, OUT, STRIDE, OUT_STRIDE] = [0, 1, 2, 3, 4, 5, 6];
const [A_ROW, B_ROW, OUT_ROW, A_AT, B_AT, A_STOP, B_TILE_AT] = [7, 8, 9, 10, 11, 12, 13];
const ADDRESSES = 7;
const [U, V, W, SUMS] = [14, 15, 16, 17];
const VECTORS = 3 + 8;

const sum = (a: number, b: number) => SUMS + a * 4 + b;
const allSums = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => SUMS + n);
const accumulate = (into: number, x: number) =>
  [get(into), get(x), get(W), multiplyVectors, addVectors, set(into)].flat();

/** Four columns of 2 rows of a against 4 rows of b, each b row one stride after the last. */
const columns = [
  ...[get(A_AT), load, set(U)].flat(),
  ...[get(A_AT), get(STRIDE), [0x6a], load, set(V)].flat(),
  ...[get(B_TILE_AT), set(B_AT)].flat(),
  ...[0, 1, 2, 3].flatMap((b) => [
    ...[get(B_AT), load, set(W)].flat(),
    ...accumulate(sum(0, b), U),
    ...accumulate(sum(1, b), V),
    ...(b < 3 ? addTo(B_AT, get(STRIDE)) : []),
  ]),
  ...addTo(A_AT, constant(16)),
  ...addTo(B_TILE_AT, constant(16)),
];

/** Stores (lane 0 + lane 1) + (lane 2 + lane 3) of one sum at OUT_ROW + offset. */
const store = (local: number, offset: number) =>
  [
    ...[get(OUT_ROW), get(local), lane(0), get(local), lane(1), addFloats],
    ...[get(local), lane(2), get(local), lane(3), addFloats, addFloats, storeFloat(offset)],
  ].flat();
const storeRow = (a: number) => [0, 1, 2, 3].flatMap((b) => store(sum(a, b), b * 4));

const tile = [
  ...allSums.flatMap((local) => [...zero, ...set(local)]),
  ...[get(A_ROW), set(A_AT), get(B_ROW), set(B_TILE_AT)].flat(),
  ...[get(A_ROW), get(STRIDE), [0x6a], set(A_STOP)].flat(),
  ...repeat(columns, A_AT, A_STOP),
  ...storeRow(0),
  ...addTo(OUT_ROW, get(OUT_STRIDE)),
  ...storeRow(1),
  ...addTo(OUT_ROW, get(OUT_STRIDE)),
  ...addTo(A_ROW, get(STRIDE)),
  ...addTo(A_ROW, get(STRIDE)),
];

const body = [
  ...[2, ADDRESSES, I32, VECTORS, V128], // locals
  ...[get(B), set(B_ROW)].flat(),
  ...repeat(
    [
      ...[get(A), set(A_ROW), get(OUT), set(OUT_ROW)].flat(),
      ...repeat(tile, A_ROW, A_END),
      ...[0, 1, 2, 3].flatMap(() => addTo(B_ROW, get(STRIDE))),
      ...addTo(OUT, constant(16)),
    ],
    B_ROW,
    B_END,
  ),
  0x0b,
];

/**
 * A WebAssembly module with the one function `multiply(a, aEnd, b, bEnd, out, stride, outStride)` over the
 * imported memory `rows.memory`: all inner products of the rows in [a, aEnd) with those in [b, bEnd).
 *
 * Four products at a time (SIMD), 2 rows of a against 4 of b, so a load serves up to four products.
 */
export function simdCode(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
    ...section(1, [1, 0x60, 7, ...new Array<number>(7).fill(I32), 0]), // types
    ...section(2, [1, ...text("rows"), ...text("memory"), 0x02, 0x00, 1]), // imports
    ...section(3, [1, 0]), // functions
    ...section(7, [1, ...text("multiply"), 0x00, 0]), // exports
    ...section(10, [1, ...sized(body)]), // code
  ]);
}
