import { join } from "node:path";

import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";

import { classLevel } from "../sources/classLevel.ts";
import { decodeImage } from "./decodeImage.ts";
import { encodeJpeg, encodePng, encodeWebp, renderSvg, resizeImage } from "./encodeImage.ts";
import { exifTime } from "./exifTime.ts";
import { inOrder } from "../inOrder.ts";
import { montage } from "./montage.ts";
import { storedSize } from "../packed/storedSize.ts";
import { blobs, inFolder, plain, writeFiles } from "../testing.ts";

test("a picture comes back from PNG as it was, and nearly so from JPEG and WebP", async () => {
  const picture = blobs(3, 40, 30);
  const png = await decodeImage(await encodePng(picture));
  expect(Buffer.compare(png.image.data, picture.data)).toBe(0);
  for (const bytes of [await encodeJpeg(picture, 95), await encodeWebp(picture, 95)]) {
    const { image } = await decodeImage(bytes);
    expect([image.width, image.height]).toEqual([40, 30]);
    const errors = image.data.map((value, i) => Math.abs(value - picture.data[i]));
    expect(errors.reduce((a, b) => a + b, 0) / errors.length).toBeLessThan(4);
  }
});

test("transparent pixels are white, grey becomes three channels, 16 bits become 8", async () => {
  const clear = { create: { width: 4, height: 4, channels: 4, background: "#ff000000" } } as const;
  const transparent = await decodeImage(await sharp(clear).png().toBuffer());
  expect([...transparent.image.data.slice(0, 3)]).toEqual([255, 255, 255]);
  const grey = await decodeImage(
    await sharp(plain(90, 6).data, { raw: { width: 6, height: 6, channels: 3 } })
      .toColourspace("grey16")
      .png()
      .toBuffer(),
  );
  expect(grey.image.data.length).toBe(108);
  grey.image.data.forEach((value) => expect(Math.abs(value - 90)).toBeLessThanOrEqual(1));
});

test("a picture on its side is turned upright, whatever size is asked for", async () => {
  const { data, width, height } = blobs(4, 40, 20);
  const turned = sharp(data, { raw: { width, height, channels: 3 } }).withMetadata({
    orientation: 6,
  });
  const fit = { size: 10, longest: 40, minimum: 1 };
  const decoded = await decodeImage(await turned.png().toBuffer(), { fit });
  expect([decoded.originalWidth, decoded.originalHeight]).toEqual([20, 40]);
  expect([decoded.image.width, decoded.image.height]).toEqual([10, 20]);
});

test("a picture of too many pixels is refused with its name", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { "wide.png": plain(0, 400, 300) });
    const path = join(folder, "wide.png");
    await expect(decodeImage(path, { maxPixels: 100_000 })).rejects.toThrow(
      /wide\.png.*more pixels/,
    );
    await expect(decodeImage(join(folder, "none.png"))).rejects.toThrow(
      /none\.png.*does not exist/,
    );
  }));

test("the time of a picture is read from its EXIF block, and damaged blocks give none", async () => {
  const bytes = await sharp(plain(9, 4).data, { raw: { width: 4, height: 4, channels: 3 } })
    .withExif({ IFD2: { DateTimeOriginal: "2023:07:14 10:20:30", SubSecTimeOriginal: "25" } })
    .jpeg()
    .toBuffer();
  const { taken } = await decodeImage(bytes);
  expect(taken).toBe(Date.UTC(2023, 6, 14, 10, 20, 30, 250));
  const { exif } = await sharp(bytes).metadata();
  fc.assert(
    fc.property(fc.nat(exif!.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
      const damaged = Uint8Array.from(exif!);
      damaged[at] = value;
      const time = exifTime(cut ? damaged.subarray(0, at) : damaged);
      expect(time === undefined || Number.isInteger(time)).toBe(true);
    }),
  );
});

test("stored sizes keep the aspect, stay within their bounds and enlarge the tiny only", () => {
  const side = fc.integer({ min: 1, max: 5000 });
  const settings = { recipe: 1, size: 96, longest: 300, minimum: 8, damaged: "reject" } as const;
  fc.assert(
    fc.property(side, side, (width, height) => {
      const stored = storedSize(width, height, settings);
      const short = Math.min(stored.width, stored.height);
      const long = Math.max(stored.width, stored.height);
      expect(short).toBeGreaterThanOrEqual(1);
      expect(long).toBeLessThanOrEqual(300);
      expect(short).toBeLessThanOrEqual(96);
      if (Math.min(width, height) >= 8) {
        expect(stored.width <= width && stored.height <= height).toBe(true);
      }
      // Each side is within half a pixel of a common scale, where it is not held at one pixel.
      const scale = long / Math.max(width, height);
      const other = Math.min(width, height) * scale;
      const slack = 0.5 + (0.5 * Math.min(width, height)) / Math.max(width, height);
      if (short > 1) expect(Math.abs(short - other)).toBeLessThanOrEqual(slack + 1e-9);
    }),
  );
  expect(storedSize(200, 400, settings)).toEqual({ width: 96, height: 192 });
  expect(storedSize(1, 4000, settings)).toEqual({ width: 1, height: 300 });
  expect(storedSize(1, 1, settings)).toEqual({ width: 8, height: 8 });
});

test("class folders are told from dates, cameras, parts of a dataset and loose pictures", () => {
  const level = (...paths: string[]) => classLevel(paths);
  expect(level("a/1", "a/2", "b/3", "b/4")).toBe(0);
  expect(level("set/a/1", "set/b/2", "set/a/3", "set/b/4")).toBe(1);
  expect(level("n01/images/1", "n01/images/2", "n02/images/3", "n02/images/4")).toBe(0);
  expect(level("1", "2", "3")).toBeUndefined();
  expect(level("a/1", "a/2", "3", "4")).toBeUndefined();
  expect(level("2019/1", "2019/2", "2020/3", "2020/4")).toBeUndefined();
  expect(level("2023-07-14/1", "2023-07-14/2", "2023-07-15/3", "2023-07-15/4")).toBeUndefined();
  expect(level("100CANON/1", "100CANON/2", "101CANON/3", "101CANON/4")).toBeUndefined();
  expect(level("p1/1", "p2/2", "p3/3", "p4/4")).toBeUndefined();
  expect(level("0/1", "0/2", "9/3", "9/4")).toBe(0);
});

test("a montage has each picture where its number says", () => {
  const pictures = [10, 20, 30, 40, 50].map((value) => plain(value, 6, 4));
  const { width, height, data } = montage(pictures, { columns: 3, gap: 1, background: [1, 2, 3] });
  expect([width, height]).toEqual([22, 11]);
  const at = (x: number, y: number) => [
    ...data.slice(3 * (y * width + x), 3 * (y * width + x) + 3),
  ];
  expect([at(1, 1), at(8, 1), at(20, 4), at(1, 6), at(13, 9)]).toEqual(
    [10, 20, 30, 40, 50].map((value) => [value, value, value]),
  );
  expect([at(0, 0), at(7, 3), at(15, 8)]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(montage([]).width).toBeGreaterThan(0);
});

test("an SVG text is drawn at the size asked for, on white, and images are resized", async () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><rect width="1" height="1" fill="#102030"/></svg>`;
  const drawn = await renderSvg(svg, 40, 20);
  expect([drawn.width, drawn.height]).toEqual([40, 20]);
  expect([...drawn.data.slice(0, 3)]).toEqual([16, 32, 48]);
  expect([...drawn.data.slice(3 * 39, 3 * 40)]).toEqual([255, 255, 255]);
  const wide = await resizeImage(plain(33, 10), 30, 5);
  expect([wide.width, wide.height, wide.data[7]]).toEqual([30, 5, 33]);
});

test("results come in the order of their values, however long each takes, a few at a time", async () => {
  let [running, most] = [0, 0];
  async function* values() {
    for (let i = 0; i < 20; i++) yield i;
  }
  const results: number[] = [];
  const slow = async (value: number) => {
    most = Math.max(most, ++running);
    await new Promise((done) => setTimeout(done, (value * 7) % 5));
    running--;
    return value;
  };
  const width = { values: 4, bytes: 10, sizeOf: () => 1 };
  for await (const result of inOrder(values(), width, slow)) results.push(result);
  expect(results).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBeLessThanOrEqual(4);
  expect(most).toBeGreaterThan(1);
  most = 0;
  const large = { ...width, sizeOf: () => 6 }; // two hold more than is allowed at once
  for await (const result of inOrder(values(), large, slow)) results.push(result);
  expect([results.length, most]).toEqual([40, 1]);
});
