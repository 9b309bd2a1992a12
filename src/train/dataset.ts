import type { PixelSource } from "../core/pixels.ts";
import type { ImageSource } from "../inference/index.ts";

/** Images to train on, packed. */
export type TrainingData = ImageSource & {
  readonly path: string; // of the packed dataset
  readonly source: PixelSource;
  readonly shortSide: number; // median of the shorter sides, pixels
  readonly labels: Int32Array | undefined;
  readonly classes: readonly string[] | undefined;
  /** Equal for equal images in equal order. */
  readonly fingerprint: string;
  idOf(index: number): string;
  close(): void;
};

// TEMPORARY, until src/data lands
export async function openTrainingData(path: string, _options: unknown): Promise<TrainingData> {
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(path);
  const count = Math.min(1000, bytes.length / 3073);
  const buffer = new SharedArrayBuffer(count * 3072);
  const out = new Uint8Array(buffer);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = bytes[i * 3073];
    for (let p = 0; p < 1024; p++)
      for (let c = 0; c < 3; c++) out[i * 3072 + p * 3 + c] = bytes[i * 3073 + 1 + c * 1024 + p];
  }
  const source: PixelSource = {
    kind: "shared",
    buffers: [buffer],
    count,
    segments: new Int32Array(count),
    offsets: Float64Array.from({ length: count }, (_, i) => i * 3072),
    widths: new Int32Array(count).fill(32),
    heights: new Int32Array(count).fill(32),
  };
  return {
    path,
    source,
    count,
    labels,
    shortSide: 32,
    classes: undefined,
    fingerprint: "x",
    image: (i) => ({
      width: 32,
      height: 32,
      channels: 3,
      data: out.subarray(i * 3072, (i + 1) * 3072),
    }),
    idOf: (i) => String(i),
    close: () => undefined,
  };
}
