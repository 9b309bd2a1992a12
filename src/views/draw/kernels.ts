import { kernelCode } from "./kernelCode.ts";

/** The functions of kernels/views.ts, where they are described; addresses and sizes in bytes. */
type Exports = {
  resize(...addresses: number[]): void;
  settle(pixels: number, plane: number, scale: number, share: number, offset: number): void;
  sum(from: number, count: number): number;
  turnHue(pixels: number, plane: number, sixths: number): void;
  solarise(pixels: number, count: number, threshold: number): void;
  blur(...addresses: number[]): void;
  normalise(pixels: number, plane: number, out: number, constants: number): void;
  resizeAcross(...addresses: number[]): void;
  resizeDown(...addresses: number[]): void;
};

const PAGE = 65536;
const byteOf = (letter: string) => letter.charCodeAt(0); // web pages have no Buffer
let compiled: WebAssembly.Module | undefined;

/** The functions with memory of their own. Views of the memory are made anew where it has grown. */
export type Kernels = Exports & {
  /** Sees to it that there are so many bytes. */
  reserve(bytes: number): void;
  bytes(): Uint8Array;
  floats(): Float32Array;
  ints(): Int32Array;
};

/** Instantiates the functions with at least so many bytes of memory. */
export function openKernels(bytes: number): Kernels {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernelCode), byteOf));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const look = () => ({
    bytes: new Uint8Array(memory.buffer),
    floats: new Float32Array(memory.buffer),
    ints: new Int32Array(memory.buffer),
  });
  let views = look();
  return {
    ...(exports as WebAssembly.Exports & Exports),
    reserve(wanted) {
      const missing = wanted - memory.buffer.byteLength;
      if (missing <= 0) return;
      memory.grow(Math.ceil(missing / PAGE));
      views = look();
    },
    bytes: () => views.bytes,
    floats: () => views.floats,
    ints: () => views.ints,
  };
}
