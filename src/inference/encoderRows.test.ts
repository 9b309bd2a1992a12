import { describe, expect, test } from "vitest";

import type { PixelImage } from "../core/pixels.ts";
import { encoderRows, inputCut } from "./encoderRows.ts";
import type { InputFormat } from "./format.ts";
import { preprocessingOf } from "./preprocessing.ts";

const square = (share: number) => ({ of: "square" as const, share });

describe("inputCut", () => {
  // sizes and places that torchvision's Resize and CenterCrop give
  test.each([
    [224, square(0.875), 160, 213, { width: 256, height: 340 }, { x: 16, y: 58 }],
    [224, square(0.875), 213, 160, { width: 340, height: 256 }, { x: 58, y: 16 }],
    [224, square(0.95), 500, 400, { width: 293, height: 235 }, { x: 34, y: 6 }], // 34.5, 5.5: to even
    [224, square(1), 400, 300, { width: 298, height: 224 }, { x: 37, y: 0 }],
    [128, square(0.875), 160, 160, { width: 146, height: 146 }, { x: 9, y: 9 }],
    [64, { of: "whole" as const, share: 1 }, 30, 90, { width: 64, height: 64 }, { x: 0, y: 0 }],
  ])("%i px, %o of %i × %i", (imageSize, crop, width, height, to, at) => {
    const cut = inputCut({ imageSize, crop }, { width, height });
    expect(cut).toEqual({ to, window: { ...at, width: imageSize, height: imageSize } });
  });

  test("resizes to the edge that a processor of transformers names, whatever its share rounds to", () => {
    const pixels = { image_mean: [0, 0, 0], image_std: [1, 1, 1] };
    for (let edge = 33; edge < 600; edge++) {
      const processor = { ...pixels, size: { shortest_edge: edge }, do_center_crop: true };
      const { crop } = preprocessingOf({}, { ...processor, crop_size: 32 });
      const { to } = inputCut({ imageSize: 32, crop }, { width: 1000, height: 1000 });
      expect(to.width).toBe(edge);
    }
  });
});

const picture = (width: number, height: number): PixelImage => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => 31 * i * i + 7 * i),
});

const format: InputFormat = {
  imageSize: 4,
  mean: [0.5, 0.25, 0],
  std: [0.5, 0.25, 1],
  crop: square(0.8),
  interpolation: "bicubic",
};

describe("encoderRows", () => {
  const files = [picture(9, 7), picture(40, 30), picture(5, 5)];
  const asked: number[] = [];
  const images = {
    count: files.length,
    image: () => picture(4, 4),
    async *originals(indices: ArrayLike<number>) {
      for (const index of Array.from(indices)) {
        asked.push(index);
        yield await Promise.resolve(files[index]);
      }
    },
  };

  test("are the bytes of Pillow and torchvision, normalised", async () => {
    const rows = encoderRows(images, format, [0, 2]);
    const out = new Float32Array(48);
    await rows.fill(0, out, 0);
    const red = [...out.subarray(0, 16)].map((value) => Math.round((value * 0.5 + 0.5) * 255));
    // Image.resize((6, 5), BICUBIC) of the first, columns 1 to 4 and lines 0 to 3
    expect(red).toEqual([
      131, 115, 173, 181, 204, 121, 119, 117, 197, 127, 149, 156, 150, 179, 121, 193,
    ]);
    await rows.fill(1, out, 0);
    expect(asked).toEqual([0, 2]);
    await rows.close?.();
  });

  test("are of the stored images where originals are not at hand or the encoder does not say how", () => {
    const out = new Float32Array(48);
    for (const rows of [
      encoderRows({ ...images, originals: undefined }, format),
      encoderRows(images, { ...format, crop: undefined }),
    ]) {
      expect(rows.fill(0, out, 0)).toBeUndefined();
    }
  });
});
