import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";

import type { PixelImage } from "../../core/pixels.ts";
import { decodeImage } from "./decodeImage.ts";
import { detectSource } from "../sources/detectSource.ts";
import { encodePng } from "./encodeImage.ts";
import { groundOf, layOver } from "./ground.ts";
import { openDataset } from "../packed/openDataset.ts";
import { packDataset } from "../packed/packDataset.ts";
import { readEntries, readHeader } from "../packed/packedIndex.ts";
import type { StoredImage } from "../packed/packedIndex.ts";
import { rangeFor, rangesOf } from "./ranges.ts";
import { blobs, inFolder, plain, writeFiles } from "../testing.ts";

const SIDE = 48;

/** Marks of grey levels on transparency, as a PNG: `level` gives that of a pixel, undefined where there is none. */
function marks(level: (x: number, y: number) => number | undefined) {
  const data = new Uint8Array(SIDE * SIDE * 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const value = level(i % SIDE, Math.floor(i / SIDE));
    if (value !== undefined) data.set([value, value, value, 255], 4 * i);
  }
  return {
    data,
    png: () => sharp(data, { raw: { width: SIDE, height: SIDE, channels: 4 } }).png(),
  };
}

const disc = (x: number, y: number) => Math.hypot(x - 24, y - 24) < 15;
const bar = (x: number, y: number) => x > 8 && x < 40 && y > 20 && y < 28;

async function packed(folder: string): Promise<Map<string, StoredImage>> {
  const source = await detectSource(join(folder, "in"));
  await packDataset(source, join(folder, "out"), { size: SIDE });
  const header = await readHeader(join(folder, "out"));
  const images = await readEntries(join(folder, "out"), header!);
  return new Map(images.map((image) => [image.id, image]));
}

test("transparent marks are laid on white where they show, else on grey, else on black", () => {
  const ground = (level: Parameters<typeof marks>[0]) => groundOf(marks(level).data, SIDE);
  expect(ground((x, y) => (disc(x, y) ? 20 : undefined))).toBe(255);
  expect(ground((x, y) => (disc(x, y) ? 255 : undefined))).toBe(128);
  expect(ground((x, y) => (disc(x, y) ? (y < 24 ? 255 : 130) : undefined))).toBe(0);
  // what is white inside a mark is no reason to leave white
  expect(
    ground((x, y) => (disc(x, y) ? (Math.hypot(x - 24, y - 24) < 8 ? 255 : 20) : undefined)),
  ).toBe(255);
  expect(ground(() => undefined)).toBe(255);
  expect([...layOver(Uint8Array.of(0, 100, 200, 51), 255)]).toEqual([204, 224, 244]);
});

test("white marks on transparency are told apart, and images of one colour are said", () =>
  inFolder(async (folder) => {
    const white = (shape: typeof disc) =>
      marks((x, y) => (shape(x, y) ? 255 : undefined))
        .png()
        .toBuffer();
    await writeFiles(join(folder, "in"), {
      "disc.png": await white(disc),
      "bar.png": await white(bar),
      "nothing.png": await white(() => false),
      "plain.png": plain(7),
      "photo.png": blobs(1),
    });
    const images = await packed(folder);
    const of = (name: string) => images.get(`${name}.png`)!;
    expect([of("disc").ground, of("bar").ground, of("photo").ground]).toEqual([
      128,
      128,
      undefined,
    ]);
    expect(of("disc").crc).not.toBe(of("bar").crc);
    expect([...images.values()].filter(({ blank }) => blank).map(({ id }) => id)).toEqual([
      "nothing.png",
      "plain.png",
    ]);
  }));

async function animation(images: readonly PixelImage[], format: "gif" | "webp"): Promise<Buffer> {
  const { width, height } = images[0];
  const frames = Buffer.concat(images.map(({ data }) => data));
  const raw = { width, height: height * images.length, channels: 3, pageHeight: height } as const;
  return sharp(frames, { raw }).toFormat(format, { loop: 0 }).toBuffer();
}

/** A PNG whose header says that it is an animation of `frames` frames, with an unread chunk of its own. */
function asApng(png: Buffer, frames: number, tail: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [size, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([size, body, crc]);
  };
  const counts = Buffer.alloc(8);
  counts.writeUInt32BE(frames);
  const [header, end] = [33, png.length - 12];
  return Buffer.concat([
    ...[png.subarray(0, header), chunk("acTL", counts), png.subarray(header, end)],
    ...[chunk("fdAT", Buffer.alloc(9, tail)), png.subarray(end)],
  ]);
}

test.each(["gif", "webp"] as const)(
  "animations with one first frame have other frames in their hash: %s",
  async (format) => {
    const one = await decodeImage(await animation([plain(0, 32), blobs(1, 32)], format));
    const other = await decodeImage(await animation([plain(0, 32), blobs(2, 32)], format));
    expect([one.file.frames, other.file.frames]).toEqual([2, 2]);
    expect([...one.image.data]).toEqual([...other.image.data]);
    expect(one.file.framesHash).not.toBe(other.file.framesHash);
    const again = await decodeImage(await animation([plain(0, 32), blobs(1, 32)], format));
    expect(again.file.framesHash).toBe(one.file.framesHash);
    expect(
      (await decodeImage(await animation([plain(0, 32)], format))).file.frames,
    ).toBeUndefined();
  },
);

test("an animated PNG is one too, whatever the decoder sees", async () => {
  const png = Buffer.from(await encodePng(blobs(3, 32)));
  const [one, other] = [asApng(png, 3, 1), asApng(png, 3, 2)];
  const [first, second] = [await decodeImage(one), await decodeImage(other)];
  expect([first.file.frames, second.file.frames]).toEqual([3, 3]);
  expect(first.file.framesHash).not.toBe(second.file.framesHash);
  expect((await decodeImage(png)).file.frames).toBeUndefined();
});

test("a file says its format and whether it keeps every pixel", async () => {
  const picture = blobs(4, 32);
  const raw = () => sharp(picture.data, { raw: { width: 32, height: 32, channels: 3 } });
  const files = {
    png: [raw().png(), true],
    jpeg: [raw().jpeg(), false],
    webp: [raw().webp(), false],
    "webp lossless": [raw().webp({ lossless: true }), true],
    gif: [raw().gif(), true],
    tiff: [raw().tiff({ compression: "lzw" }), true],
    "tiff jpeg": [raw().tiff({ compression: "jpeg" }), false],
    avif: [raw().avif({ effort: 0 }), false],
  } as const;
  for (const [name, [file, lossless]] of Object.entries(files)) {
    const bytes = await file.toBuffer();
    const { format, bytes: length, lossless: found } = (await decodeImage(bytes)).file;
    expect([format, length, found]).toEqual([name.split(" ")[0], bytes.length, lossless]);
  }
});

/** A grey PNG of 16 bits whose numbers go from `from` to `to`, as a gradient. */
function deep(from: number, to: number): Promise<Buffer> {
  const values = Uint16Array.from({ length: SIDE * SIDE }, (_, i) =>
    Math.round(from + ((to - from) * i) / (SIDE * SIDE - 1)),
  );
  const raw = { width: SIDE, height: SIDE, channels: 1 } as const;
  return sharp(values, { raw }).toColourspace("grey16").png().toBuffer();
}

/** A TIFF of one strip of grey numbers, which no library here writes: `format` 2 signed, 3 floats. */
function greyTiff(values: Int16Array | Int32Array | Float32Array, format: 2 | 3): Buffer {
  const bytes = Buffer.from(values.buffer);
  const tags = [
    [256, SIDE],
    [257, SIDE],
    [258, 8 * values.BYTES_PER_ELEMENT],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, SIDE],
    [279, bytes.length],
    [339, format],
  ];
  const directory = Buffer.alloc(2 + 12 * tags.length + 4);
  directory.writeUInt16LE(tags.length);
  tags.forEach(([tag, value], i) => {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE([273, 279].includes(tag) ? 4 : 3, 4 + 12 * i);
    directory.writeUInt32LE(1, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  });
  const header = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(8 + bytes.length, 4);
  return Buffer.concat([header, bytes, directory]);
}

const ramp = (from: number, to: number) =>
  Array.from({ length: SIDE * SIDE }, (_, i) => from + ((to - from) * i) / (SIDE * SIDE - 1));

test("deep images of a set are shown by one range, whatever order they come in", () =>
  inFolder(async (folder) => {
    await writeFiles(join(folder, "in"), {
      "a.png": await deep(0, 900), // dark, and first: alone it would be of 10 bits
      "b.png": await deep(0, 4095),
      "c.png": await deep(0, 3000),
      "d.png": await deep(200, 4000),
      "e.png": await deep(0, 2500),
      "f.png": await deep(0, 4095),
    });
    const first = await packed(folder);
    const shown = [...first.values()].map(({ deep: found }) => found!.shown.join());
    expect(new Set(shown)).toEqual(new Set(["0,4095"]));
    const header = (await readHeader(join(folder, "out")))!;
    expect(header.ranges).toEqual([{ depth: "ushort", low: 0, high: 4095 }]);
    expect(header.conversions).toEqual([{ images: 6, what: "of 16 bits used 12: scaled" }]);
    const dataset = await openDataset(join(folder, "out"));
    expect(Math.max(...dataset.image(0).data)).toBe(Math.round((900 * 255) / 4095));
    dataset.close();
    // a deeper image changes all of them, and its going changes them back
    const deeper = join(folder, "in/g.png");
    await writeFile(deeper, await deep(0, 8000));
    expect((await packed(folder)).get("a.png")!.deep!.shown).toEqual([0, 16383]);
    await rm(deeper);
    expect((await packed(folder)).get("a.png")!.crc).toBe(first.get("a.png")!.crc);
  }));

test("images with fewer bits that are a kind of their own have a range of theirs, and given ranges are kept", () =>
  inFolder(async (folder) => {
    const files = [4095, 4090, 65535, 65000].map(async (most) => [
      `${most}.png`,
      await deep(0, most),
    ]);
    await writeFiles(join(folder, "in"), Object.fromEntries(await Promise.all(files)));
    const images = [...(await packed(folder)).values()];
    expect(images.map(({ deep: found }) => found!.shown[1])).toEqual([4095, 4095, 65535, 65535]);
    const source = await detectSource(join(folder, "in"));
    const given = await packDataset(source, join(folder, "out"), {
      size: SIDE,
      ranges: [{ low: 100, high: 5000 }],
    });
    expect(given.conversions).toEqual([
      { images: 4, what: "of 16 bits: 100 shown black, 5000 white" },
      { images: 4, what: "with values beyond what is shown: cut off" },
    ]);
  }));

test("numbers of any kind are shown whole: signed, wide, floats, with what is no number", async () => {
  const shownOf = async (bytes: Buffer) => {
    const { image, file } = await decodeImage(bytes);
    const levels = new Set(image.data).size;
    return [...file.deep!.shown, levels > 200, file.deep!.noValue ?? 0];
  };
  expect(await shownOf(greyTiff(Int16Array.from(ramp(-1024, 3071)), 2))).toEqual([
    ...[-1024, 3071, true, 0],
  ]);
  expect(await shownOf(greyTiff(Int32Array.from(ramp(0, 1e6)), 2))).toEqual([0, 1e6, true, 0]);
  expect(await shownOf(greyTiff(Float32Array.from(ramp(0, 1)), 3))).toEqual([0, 1, true, 0]);
  expect(await shownOf(greyTiff(Float32Array.from(ramp(-3, 3)), 3))).toEqual([-3, 3, true, 0]);
  expect(await shownOf(greyTiff(Float32Array.from(ramp(0, 1000)), 3))).toEqual([0, 1023, true, 0]);
  // far from 0, a range of its own keeps the levels apart
  expect(await shownOf(await deep(32768, 36863))).toEqual([32768, 36863, true, 0]);
  const holes = Float32Array.from(ramp(0, 1)).fill(NaN, 100, 110).fill(Infinity, 200, 205);
  holes.fill(-3.4e38, 300, 301);
  expect(await shownOf(greyTiff(holes, 3))).toEqual([0, 1, true, 16]);
  const none = new Float32Array(SIDE * SIDE).fill(NaN);
  await expect(decodeImage(greyTiff(none, 3))).rejects.toThrow(/none of its pixels/);
});

test("ranges do not depend on the order of the images", () => {
  const extent = fc.record({
    depth: fc.constantFrom("ushort", "float"),
    low: fc.integer({ min: -300, max: 300 }),
    high: fc.integer({ min: 300, max: 70_000 }),
  });
  fc.assert(
    fc.property(fc.array(extent, { minLength: 1, maxLength: 12 }), (extents) => {
      const ranges = rangesOf(extents);
      expect(rangesOf([...extents].reverse())).toEqual(ranges);
      for (const one of extents) {
        const { low, high } = rangeFor(one, ranges);
        expect(low <= one.low && high >= one.high && high > low).toBe(true);
      }
    }),
  );
});

test("of a broken file nothing is taken, or what can be decoded, which is then said", async () => {
  const whole = await sharp(blobs(5, 64).data, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg()
    .toBuffer();
  const half = whole.subarray(0, Math.round(whole.length / 2));
  await expect(decodeImage(half)).rejects.toThrow(/damaged or cut short/);
  expect((await decodeImage(half, { damaged: "accept" })).file.damaged).toBe(true);
  expect((await decodeImage(whole, { damaged: "accept" })).file.damaged).toBeUndefined();
});
