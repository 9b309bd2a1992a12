import sharp from "sharp";
import { expect, test } from "vitest";

import { plainJpeg } from "./plainJpeg.ts";
import { patches } from "../testing.ts";

const { data } = patches(1, 40, 24);
const picture = () => sharp(data, { raw: { width: 40, height: 24, channels: 3 } });

test("the size of a JPEG of nothing but pixels is read from its header; any other file is left to the decoder", async () => {
  const plain = await picture().jpeg().toBuffer();
  const size = { width: 40, height: 24 };
  expect(plainJpeg(plain)).toEqual(size);
  expect(plainJpeg(await picture().jpeg({ progressive: true }).toBuffer())).toEqual(size);
  const others = {
    grey: picture().toColourspace("b-w").jpeg(),
    cmyk: picture().toColourspace("cmyk").jpeg(),
    profile: picture().withIccProfile("p3").jpeg(),
    turned: picture().withMetadata({ orientation: 6 }).jpeg(),
    png: picture().png(),
  };
  for (const [name, other] of Object.entries(others)) {
    expect([name, plainJpeg(await other.toBuffer())]).toEqual([name, undefined]);
  }
  for (let length = 0; length < 60; length++) {
    expect(plainJpeg(plain.subarray(0, length))).toBe(undefined);
  }
});
