import { paddedSizes, plainRowProducts, type RowProducts } from "./rowProducts.ts";
import { simdCode } from "./simdCode.ts";

const PAGE = 65536;
type Multiply = (...bytes: number[]) => void;
let compiled: WebAssembly.Module | undefined;

/** Row products in WebAssembly SIMD, summed in float32 in four interleaved parts. Throws where there is none. */
export function simdRowProducts(dimension: number, countA: number, countB: number): RowProducts {
  compiled ??= new WebAssembly.Module(simdCode());
  const { stride, rowsA, rowsB } = paddedSizes(dimension, countA, countB);
  const [lengthA, lengthB] = [rowsA * stride, rowsB * stride];
  const bytes = 4 * (lengthA + lengthB + rowsA * rowsB);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const { exports } = new WebAssembly.Instance(compiled, { rows: { memory } });
  const multiply = exports.multiply as Multiply;
  const [b, out] = [4 * lengthA, 4 * (lengthA + lengthB)];
  return {
    stride,
    a: new Float32Array(memory.buffer, 0, lengthA),
    b: new Float32Array(memory.buffer, b, lengthB),
    out: new Float32Array(memory.buffer, out, rowsA * rowsB),
    multiply: (rows) => {
      const end = 4 * stride * Math.min(rowsA, rows + (rows % 2));
      if (rows > 0) multiply(0, end, b, out, out, 4 * stride, 4 * rowsB);
    },
  };
}

/** The fastest row products there are here: SIMD, or plain JavaScript where WebAssembly is not allowed. */
export function createRowProducts(dimension: number, countA: number, countB: number): RowProducts {
  try {
    return simdRowProducts(dimension, countA, countB);
  } catch {
    return plainRowProducts(dimension, countA, countB);
  }
}
