import { join } from "node:path";

import { expect, test } from "vitest";

import { blobs, inFolder, plain, writeFiles } from "../../data/testing.ts";
import { writeGroups } from "../../inference/index.ts";
import { checkNegatives } from "./checkNegatives.ts";
import type { RunConfig } from "../../config/schema.ts";
import { openTrainingData, type TrainingData } from "../dataset.ts";

type Asked = Pick<RunConfig, "samplers" | "batchSize" | "seed">;
const asked: Asked = { samplers: [{ name: "groups" }], batchSize: 4, seed: 0 };
const supervised: Asked = { ...asked, samplers: [{ name: "groups" }, { name: "labels" }] };

/** What is wrong with images for a training with candidates from the batch, or from a memory too. */
async function mistake(
  folder: string,
  images: Parameters<typeof writeFiles>[1],
  { config = asked, inBatch = true, together = [] as string[] } = {},
): Promise<string | undefined> {
  const [place, groups] = [join(folder, "images"), join(folder, "groups.json")];
  await writeFiles(place, images);
  await writeGroups(groups, together.length === 0 ? [] : [together], undefined);
  const data: TrainingData = await openTrainingData(place, { out: join(folder, "runs/a"), groups });
  try {
    checkNegatives(config, data, inBatch);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    data.close();
  }
}

const names = (count: number, letter = "a") =>
  Array.from({ length: count }, (_, i) => `${letter}/${i}.png`);
const pictures = (all: readonly string[]) =>
  Object.fromEntries(all.map((name, i) => [name, blobs(i, 16)]));

test("images of one group, of one label, or all alike are refused before the first step", () =>
  inFolder(async (folder) => {
    const all = names(8);
    const at = (name: string) => join(folder, name);
    expect(await mistake(at("fine"), pictures(all))).toBeUndefined();
    const one = { together: all };
    expect(await mistake(at("one"), pictures(all), one)).toContain(
      "8 of 8 images have no negatives: all images are of their group",
    );
    expect(await mistake(at("queue"), pictures(all), { ...one, inBatch: false })).toBeDefined();
    const labelled = { config: supervised };
    expect(await mistake(at("label"), pictures([...all, "b/1.png"]), labelled)).toContain(
      "anchors of the first epoch have no negatives: all images of their batch of 4 are of their group or label",
    );
    const balanced = pictures([...names(8), ...names(8, "b")]);
    expect(await mistake(at("labels"), balanced, { ...labelled, inBatch: false })).toBeUndefined();
    const blank = { "a.png": plain(3), "b.png": plain(200) };
    expect(await mistake(at("blank"), blank)).toContain("all 2 images are of one colour each");
    const same = { "a.png": blobs(1, 16), "b.png": blobs(1, 16) };
    expect(await mistake(at("same"), same)).toContain("all 2 images have the same pixels");
  }));

test("a group that fills most batches is refused where negatives come from the batch alone", () =>
  inFolder(async (folder) => {
    const all = names(20);
    const most = { together: all.slice(0, 18) };
    expect(await mistake(join(folder, "batch"), pictures(all), most)).toMatch(
      /^train: \d+ of 20 anchors of the first epoch have no negatives: all images of their batch of 4/,
    );
    const queue = { ...most, inBatch: false };
    expect(await mistake(join(folder, "queue"), pictures(all), queue)).toBeUndefined();
  }));
