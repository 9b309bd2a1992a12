import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { detectSource } from "./detectSource.ts";
import { encodePng } from "../pixels/encodeImage.ts";
import { openDataset } from "../packed/openDataset.ts";
import { readOriginals } from "./originals.ts";
import { packDataset } from "../packed/packDataset.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-originals-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("originals come at the size of their files, in the order of the source; one that is gone is named", async () => {
  const photos = join(folder, "photos");
  mkdirSync(photos);
  for (let i = 0; i < 6; i++) {
    const [width, height] = [20 + i, 30];
    const data = new Uint8Array(3 * width * height).fill(40 * i);
    const png = await encodePng({ width, height, channels: 3, data });
    writeFileSync(join(photos, `${i}.png`), png);
  }
  const packed = join(folder, "packed");
  await packDataset(await detectSource(photos), packed, { size: 8 });
  const dataset = await openDataset(packed);
  const read = async (ids: readonly string[]) => {
    const found: number[][] = [];
    for await (const { width, data } of readOriginals(
      await detectSource(photos),
      dataset.header,
      ids,
    )) {
      found.push([width, data[0]]);
    }
    return found;
  };
  expect(await read(["1.png", "4.png", "5.png"])).toEqual([
    [21, 40],
    [24, 160],
    [25, 200],
  ]);
  rmSync(join(photos, "4.png"));
  await expect(read(["1.png", "4.png"])).rejects.toThrow('"4.png" is not in');
  dataset.close();
});
