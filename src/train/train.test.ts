import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { inFolder, plain, writeFiles } from "../data/testing.ts";
import { openTrainingData } from "./dataset.ts";
import { openMonitor } from "./monitor.ts";
import { train } from "./train.ts";

test("a size of views packs images as large wherever it is given", () =>
  inFolder(async (folder) => {
    const data = join(folder, "photos");
    await writeFiles(data, { "a.png": plain(1, 300), "b.png": plain(2, 300) });
    const given = { data, out: join(folder, "run"), batchSize: 500 };
    for (const size of [{ imageSize: 210 }, { views: { size: 210 } }]) {
      await expect(train({ ...given, ...size })).rejects.toThrow("batchSize is 500"); // once packed
    }
    expect(readdirSync(join(folder, ".packed"))).toEqual([expect.stringMatching(/-240px$/)]);
  }));

test("training images are refused as test images", () =>
  inFolder(async (folder) => {
    const path = join(folder, "set");
    const names = ["a/1", "a/2", "b/1", "b/2"];
    const files = names.map((name, i) => [`${name}.png`, plain(60 * i)]);
    await writeFiles(path, Object.fromEntries(files));
    const config = { out: join(folder, "run"), imageSize: 16, test: path, seed: 0 };
    const data = await openTrainingData(path, config);
    const views = { mean: [0, 0, 0], std: [1, 1, 1] };
    const session = { config: { ...config, views, evaluation: { images: 10 } }, data };
    await expect(openMonitor(session as never, {} as never)).rejects.toThrow(
      "test: the test images are the 4 training images themselves, expected others",
    );
    data.close();
  }));
