import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { pack } from "tar-stream";

import type { PixelImage } from "../core/pixels.ts";
import { randomStream } from "../core/random.ts";
import { encodePng } from "./pixels/encodeImage.ts";
import type { ImageSource, RawEntry, Skipped } from "./sources/source.ts";

/** Runs a test in a new folder that is gone afterwards. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "contrapose-data-"));
  try {
    await test(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A picture of random soft blobs, another for every seed: smooth enough to survive JPEG and resizing. */
export function blobs(seed: number, width = 48, height = width): PixelImage {
  const stream = randomStream(seed, "blobs");
  const spots = Array.from({ length: 10 }, () => ({
    x: stream.uniform(0, width),
    y: stream.uniform(0, height),
    size: stream.uniform(0.1, 0.3) * width,
    channel: stream.integer(3),
    strength: stream.uniform(-90, 90),
  }));
  const data = new Uint8Array(3 * width * height).map((_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const light = spots.map((spot) => {
      const far = ((x - spot.x) ** 2 + (y - spot.y) ** 2) / spot.size ** 2;
      return (spot.channel === channel ? spot.strength : spot.strength / 3) * Math.exp(-far);
    });
    const sum = light.reduce((total, value) => total + value, 110);
    return Math.max(0, Math.min(255, Math.round(sum)));
  });
  return { width, height, channels: 3, data };
}

/** A picture of coloured squares that run into each other, `across` × `across` of them, another for every seed: rich in detail. */
export function patches(seed: number, width: number, height = width, across = 6): PixelImage {
  const stream = randomStream(seed, "patches");
  const colours = Array.from({ length: across * across * 3 }, () => stream.integer(256));
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const x = ((pixel % width) / width) * (across - 1);
    const y = (Math.floor(pixel / width) / height) * (across - 1);
    const corner = 3 * (across * Math.floor(y) + Math.floor(x)) + channel;
    const along = (at: number) =>
      colours[at] + (colours[at + 3] - colours[at]) * (x - Math.floor(x));
    const [above, below] = [along(corner), along(corner + 3 * across)];
    data[i] = Math.round(above + (below - above) * (y - Math.floor(y)));
  }
  return { width, height, channels: 3, data };
}

/** A picture of one colour. */
export function plain(value: number, width = 16, height = width): PixelImage {
  const data = new Uint8Array(3 * width * height).fill(value);
  return { width, height, channels: 3, data };
}

/** Writes files into a folder: bytes and text as they are, pictures as PNG. */
export async function writeFiles(
  folder: string,
  files: Record<string, Uint8Array | string | PixelImage>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    const isPicture = typeof content === "object" && "channels" in content;
    await writeFile(path, isPicture ? await encodePng(content) : content);
  }
}

/** Everything that a source gives. */
export async function readAll(source: ImageSource) {
  const skipped: Skipped[] = [];
  const entries: RawEntry[] = [];
  for await (const entry of source.entries((item) => skipped.push(item))) entries.push(entry);
  return { entries, skipped, ids: entries.map(({ id }) => id) };
}

/** An IDX file. */
export function idx(sizes: number[], values: number[]): Uint8Array {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(0x0800 + sizes.length);
  sizes.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([header, Uint8Array.from(values)]);
}

/** A tar archive of members in an order, which may repeat names. */
export async function tarOf(members: readonly [string, Uint8Array | string][]): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of members) archive.entry({ name }, Buffer.from(content));
  archive.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of archive) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
