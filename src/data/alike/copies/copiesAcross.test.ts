import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import sharp from "sharp";
import { expect, test } from "vitest";

import { detectSource } from "../../sources/detectSource.ts";
import { openDataset } from "../../packed/openDataset.ts";
import { packDataset } from "../../packed/packDataset.ts";
import { inFolder, patches, plain, writeFiles } from "../../testing.ts";
import { copiesAcross } from "./copiesAcross.ts";
import { keptCopies } from "./keptCopies.ts";

test("test images that are copies of training images are counted, byte for byte or resized and recompressed", () =>
  inFolder(async (folder) => {
    const files: Record<string, Uint8Array | ReturnType<typeof plain>> = {
      "train/blank.png": plain(255),
      "test/blank.png": plain(255),
    };
    for (let seed = 0; seed < 20; seed++) {
      const { data, width, height } = patches(seed, 64);
      const picture = sharp(data, { raw: { width, height, channels: 3 } });
      const name = String(seed).padStart(2, "0");
      const png = await picture.clone().png().toBuffer();
      files[`train/${name}.png`] = png;
      if (seed < 4) files[`test/copy${name}.png`] = png;
      else if (seed < 8) {
        files[`test/small${name}.jpg`] = await picture.resize(56).jpeg({ quality: 80 }).toBuffer();
      } else files[`test/other${name}.png`] = patches(100 + seed, 64);
    }
    await writeFiles(folder, files);
    const pack = async (part: string) => {
      await packDataset(await detectSource(join(folder, part)), join(folder, `${part}-packed`));
      return openDataset(join(folder, `${part}-packed`));
    };
    const [train, held] = [await pack("train"), await pack("test")];
    const { original, count } = await copiesAcross(train, held);
    const found = held.ids.map((id, i) => [id, original[i] < 0 ? "" : train.ids[original[i]]]);
    const right = held.ids.map((id) => [
      id,
      /copy|small/.test(id) ? `${/\d+/.exec(id)![0]}.png` : "",
    ]);
    expect(found).toEqual(right);
    expect(count).toBe(8);
    const place = join(held.path, `copies-${train.fingerprint.slice(0, 12)}.json`);
    expect(await keptCopies(train, held)).toEqual({ original, count });
    const [kept, none] = [await readFile(place, "utf8"), held.ids.map(() => -1)];
    await writeFile(place, kept.replace(/"original":.*/, `"original":${JSON.stringify(none)}}`));
    expect((await keptCopies(train, held)).count).toBe(0); // is not searched for again
    const others = [kept.replace(train.fingerprint, "other"), kept.replace("[-1", "[999"), "{"];
    for (const damaged of others) {
      await writeFile(place, damaged);
      expect((await keptCopies(train, held)).count).toBe(8);
      expect(await readFile(place, "utf8")).toBe(kept);
    }
    (await pack("test")).close(); // what is kept there is no foreign file
    train.close();
    held.close();
  }));
