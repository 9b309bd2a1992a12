import { join } from "node:path";

import { expect, test } from "vitest";

import { blobs, inFolder, writeFiles } from "../data/testing.ts";
import { openImages, type OpenImagesOptions } from "./openImages.ts";
import { refuseSame } from "./sameImages.ts";

const files = (names: readonly string[]) =>
  Object.fromEntries(names.map((name, i) => [`${name}.png`, blobs(i, 12)]));

/** Ids of the images of a folder and what is said while it is opened. */
async function opened(path: string, options: Partial<OpenImagesOptions> = {}) {
  const said: string[] = [];
  const note = (text: string) => said.push(text);
  const images = await openImages(path, { cache: join(path, "..", "cache"), note, ...options });
  images.close();
  const ids = Array.from({ length: images.count }, (_, i) => images.idOf(i));
  return { images, ids, said: said.join("\n") };
}

test("of a place with two parts each is opened by itself, and what is left out is said every time", () =>
  inFolder(async (folder) => {
    const set = join(folder, "set");
    await writeFiles(set, files(["train/a/1", "train/a/2", "train/b/3", "train/b/4", "val/a/5"]));
    const train = await opened(set);
    expect(train.ids).toEqual(
      ["1", "2", "3", "4"].map((name, i) => `train/${i < 2 ? "a" : "b"}/${name}.png`),
    );
    const note = "read train; left out: 1 image of val; --split says otherwise";
    expect(train.said).toContain(`note       ${note}; labels from 2 class folders`);
    const held = await opened(set, { split: "heldOut" });
    expect(held.ids).toEqual(["val/a/5.png"]);
    expect(held.said).toContain("read val; left out: 4 images of train");
    const again = await opened(set);
    expect(again.ids).toEqual(train.ids);
    expect(again.said).toContain("left out: 1 image of val"); // without having packed anything anew
    expect(again.said).not.toContain("packed");
    expect(() => refuseSame("evaluate", train.images, held.images)).not.toThrow();
    const all = await opened(set, { split: "all" });
    expect([all.ids.length, all.images.path === train.images.path]).toEqual([5, false]);
  }));

test("a place without parts is opened whole, and refused as its own test set", () =>
  inFolder(async (folder) => {
    const set = join(folder, "set");
    await writeFiles(set, files(["1", "2", "3"]));
    const [train, test] = [await opened(set), await opened(set, { split: "heldOut" })];
    expect(train.said).toContain("no labels from folders");
    expect(test.images.path).toBe(train.images.path); // packed once
    expect(test.said).toBe("");
    expect(() => refuseSame("evaluate", train.images, test.images)).toThrow(
      "evaluate: the test images are the training images themselves (3 images), expected others",
    );
  }));
