import { describe, expect, test } from "vitest";

import type { Interpolation } from "./resize.ts";
import { createByteResizer } from "./resizeBytes.ts";

/** A picture of hard edges, byte i of which is 31 i² + 7 i. */
function picture(width: number, height: number) {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => 31 * i * i + 7 * i);
  return { width, height, channels: 3 as const, data };
}

const whole = ({ width, height }: { width: number; height: number }) => ({
  x: 0,
  y: 0,
  width,
  height,
});

/** What Pillow 13.0 gives for `picture(9, 7)`, with `Image.resize((width, height), filter)`. */
const pillow: { filter: Interpolation; width: number; height: number; bytes: number[] }[] = [
  {
    filter: "bilinear",
    width: 4,
    height: 3,
    bytes: [
      ...[113, 110, 127, 137, 151, 161, 148, 101, 143, 135, 109, 117],
      ...[164, 118, 124, 153, 108, 119, 145, 89, 122, 164, 127, 83],
      ...[124, 122, 107, 165, 117, 117, 161, 82, 158, 128, 98, 82],
    ],
  },
  {
    filter: "bicubic",
    width: 4,
    height: 3,
    bytes: [
      ...[110, 105, 128, 137, 157, 165, 150, 100, 146, 134, 108, 119],
      ...[170, 124, 119, 153, 106, 116, 137, 87, 120, 168, 131, 76],
      ...[119, 122, 108, 168, 117, 118, 166, 78, 166, 125, 98, 78],
    ],
  },
  {
    filter: "lanczos",
    width: 4,
    height: 3,
    bytes: [
      ...[112, 103, 128, 139, 159, 166, 147, 100, 145, 134, 107, 119],
      ...[178, 128, 115, 155, 109, 116, 131, 85, 121, 172, 133, 70],
      ...[111, 117, 106, 168, 114, 119, 170, 77, 171, 125, 96, 78],
    ],
  },
  {
    filter: "bicubic",
    width: 11,
    height: 9,
    bytes: [
      ...[0, 32, 141, 21, 14, 43, 100, 11, 153, 87, 42, 255, 23, 114, 213, 202, 210],
      ...[23, 173, 134, 92, 175, 73, 218, 230, 51, 234, 224, 63, 169, 98, 90, 144, 0],
      ...[137, 160, 109, 43, 177, 177, 108, 148, 184, 186, 167, 164, 178, 234, 106, 222, 126],
      ...[183, 67, 144, 156, 86, 216, 133, 67, 161, 125, 57, 85, 84, 185, 162, 61, 209],
      ...[121, 202, 161, 145, 214, 159, 82, 181, 192, 81, 168, 210, 186, 51, 168, 201, 140],
      ...[51, 144, 157, 80, 134, 95, 83, 66, 68, 108, 22, 150, 246, 111, 164, 193, 76],
      ...[235, 228, 66, 211, 119, 60, 125, 78, 71, 73, 169, 114, 105, 108, 190, 106, 64],
      ...[123, 165, 76, 40, 126, 112, 21, 103, 163, 44, 242, 217, 49, 182, 125, 119, 183],
      ...[75, 222, 228, 42, 207, 185, 45, 137, 93, 81, 113, 226, 142, 120, 172, 15, 173],
      ...[142, 114, 55, 146, 164, 66, 186, 125, 145, 241, 130, 81, 115, 176, 66, 30, 43],
      ...[103, 138, 77, 158, 241, 122, 119, 169, 66, 42, 37, 72, 170, 87, 66, 140, 189],
      ...[145, 108, 210, 104, 146, 167, 53, 142, 154, 171, 10, 133, 145, 108, 133, 82, 68],
      ...[129, 122, 77, 181, 189, 63, 230, 181, 33, 94, 96, 143, 131, 63, 185, 223, 73],
      ...[162, 182, 38, 133, 105, 31, 96, 167, 130, 39, 145, 144, 138, 190, 124, 118, 120],
      ...[115, 63, 111, 148, 61, 222, 184, 127, 222, 112, 146, 184, 87, 232, 186, 27, 148],
      ...[117, 40, 85, 72, 100, 79, 169, 113, 58, 105, 212, 103, 74, 132, 184, 73, 63],
      ...[118, 103, 30, 121, 163, 30, 255, 255, 70, 212, 168, 155, 230, 103, 61, 77, 78],
      ...[101, 59, 89, 210, 109, 111, 166, 13],
    ],
  },
];

describe("createByteResizer", () => {
  test.each(pillow)("gives Pillow's bytes, $filter to $width × $height", (asked) => {
    const resize = createByteResizer(asked.filter);
    expect([...resize(picture(9, 7), asked, whole(asked))]).toEqual(asked.bytes);
  });

  test("a window holds what the whole has there, of an image larger than is held at a time", () => {
    const resize = createByteResizer("bicubic");
    const image = picture(1200, 700);
    const to = { width: 60, height: 35 };
    const all = Uint8Array.from(resize(image, to, whole(to)));
    const part = resize(image, to, { x: 7, y: 5, width: 11, height: 9 });
    for (let y = 0; y < 9; y++) {
      const from = 3 * ((y + 5) * 60 + 7);
      expect(part.slice(33 * y, 33 * (y + 1))).toEqual(all.slice(from, from + 33));
    }
  });

  test("leaves an image of its own size as it is", () => {
    const image = picture(9, 7);
    expect([...createByteResizer("lanczos")(image, image, whole(image))]).toEqual([...image.data]);
  });
});
