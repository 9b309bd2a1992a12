import { join } from "node:path";
import { crc32 } from "node:zlib";

import sharp from "sharp";
import { expect, test } from "vitest";

import type { PixelImage } from "../core/pixels.ts";
import { decodeImage } from "./decodeImage.ts";
import { detectSource } from "./detectSource.ts";
import { encodePng } from "./encodeImage.ts";
import { groundOf, layOver } from "./ground.ts";
import { packDataset } from "./packDataset.ts";
import { readEntries, readHeader } from "./packedIndex.ts";
import type { StoredImage } from "./packedIndex.ts";
import { blobs, inFolder, plain, writeFiles } from "./testing.ts";

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
  const png = await encodePng(blobs(3, 32));
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
