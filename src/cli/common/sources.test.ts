import { join } from "node:path";

import { expect, test } from "vitest";

import { blobs, inFolder, writeFiles } from "../../data/testing.ts";
import type { Training } from "../../inference/index.ts";
import { holdsOut, howOf, placesOf, sourcesOf } from "./sources.ts";

const training: Training = {
  method: "simclr",
  head: { name: "mlp" },
  views: {} as Training["views"],
  seed: 0,
  data: "/images",
  split: "all",
};

test("a part that is named is asked, held-out parts never learned from", () => {
  const own = { path: "/images", split: "all" };
  expect(placesOf({}, training)).toEqual({ learned: own, asked: undefined });
  expect(placesOf({ split: "test" }, training)).toEqual({
    learned: { path: "/images", split: "auto" },
    asked: { path: "/images", split: "test" },
  });
  expect(placesOf({ split: "train" }, training)).toEqual({
    learned: { path: "/images", split: "train" },
    asked: undefined,
  });
  const test = "/others";
  expect(placesOf({ test }, training).asked).toEqual({ path: test, split: "heldOut" });
  expect(placesOf({ test, split: "val" }, training)).toEqual({
    learned: own,
    asked: { path: test, split: "val" },
  });
  expect(placesOf({ train: test }, training).learned).toEqual({ path: test, split: undefined });
});

test("without test images the held-out part is asked where it has labels and training left it out", () =>
  inFolder(async (folder) => {
    const [parts, whole, bare] = ["parts", "whole", "bare"].map((name) => join(folder, name));
    const some = (names: string[]) =>
      writeFiles(folder, Object.fromEntries(names.map((name, i) => [name, blobs(i, 8)])));
    const learned = ["a/1.png", "a/2.png", "b/3.png", "b/4.png"];
    await some(learned.flatMap((name) => [`parts/train/${name}`, `whole/${name}`]));
    await some(learned.map((name) => `parts/test/${name}`));
    await some(["bare/train/1.png", "bare/train/2.png", "bare/test/3.png"]);
    const sources = async (data: string, asked = {}, split: Training["split"] = "auto") => {
      const said: string[] = [];
      const own = { ...training, data, split };
      const found = await sourcesOf(folder, asked, own, (text) => said.push(text));
      return [found, said.join()];
    };
    expect(await sources(parts)).toEqual([{ split: "heldOut" }, ""]);
    expect(placesOf({ split: "heldOut" }, { ...training, data: parts })).toEqual({
      learned: { path: parts, split: "auto" },
      asked: { path: parts, split: "heldOut" },
    });
    expect(await sources(parts, { split: "train" })).toEqual([{ split: "train" }, ""]);
    expect(await sources(parts, { test: whole })).toEqual([{ test: whole }, ""]);
    expect(await sources(whole, { train: parts })).toEqual([
      { train: parts, split: "heldOut" },
      "",
    ]);
    const held = [await holdsOut(parts), await holdsOut(parts, "all"), await holdsOut(whole)];
    expect(held).toEqual([true, false, false]);
    const part = "the part that is held out beside the training part";
    expect(howOf({ train: parts, test: join(whole, "..", "parts") })).toBe(part);
    expect(howOf({ train: parts, test: whole })).toBeUndefined();
    const trainedOn = /images that the encoder was trained on are asked/;
    expect(await sources(parts, {}, "all")).toEqual([{}, expect.stringMatching(trainedOn)]);
    for (const data of [whole, bare]) {
      expect(await sources(data)).toEqual([{}, expect.stringMatching(trainedOn)]);
    }
    expect(await sources(join(folder, "gone"))).toEqual([{}, expect.any(String)]);
  }));
