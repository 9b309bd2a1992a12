import { expect, test } from "vitest";

import { partNamed } from "./partNames.ts";
import { chooseParts, findParts } from "./parts.ts";
import type { SplitChoice } from "./source.ts";

test("names speak of parts by their words, with numbers, other words and marks around them", () => {
  const parts = {
    train:
      "train train2017 seg_train Training trainset TrainImages train_images train-0001.tar TRAIN labeled",
    val: "val val2017 valid validation imagenet-val dev valset",
    test: "test test1 tst testset seg_test images_test Testing t10k-images-idx3-ubyte.gz test_batch.bin test-dev",
    unlabeled: "unlabeled unlabelled2017 unlabeled_images train_unlabeled",
  };
  for (const [kind, names] of Object.entries(parts)) {
    for (const name of names.split(" "))
      expect([name, partNamed(name)?.kind]).toEqual([name, kind]);
  }
  expect(partNamed("data_batch_1.bin")).toEqual({ kind: "train", rest: "batch" });
  expect(partNamed("trainval")?.kind).toBe("train");
  const others =
    "contest latest traineeship trainers testament attest valley invalid device cat 2017";
  for (const name of [...others.split(" "), "train-test-split", "constructor", ""]) {
    expect([name, partNamed(name)]).toEqual([name, undefined]);
  }
});

/** The paths that are read, the names of what is left of them, and what is said. */
function read(paths: string, split: SplitChoice = "auto") {
  const all = paths.split(" ");
  const found = findParts(all, !["auto", "all", "heldOut"].includes(split));
  const { kept, about } = chooseParts("here", found, split);
  return {
    kept: all.filter((_, i) => kept[i]).join(" "),
    bare: found.bare.join(" "),
    said: about.notes.join("; "),
  };
}

test("folders are parts at any level, above classes or below them, and held-out ones are left out", () => {
  const coco = read("train2017/1 train2017/2 val2017/3");
  expect(coco.kept).toBe("train2017/1 train2017/2");
  expect(coco.said).toBe("read train2017; left out: 1 image of val2017; --split says otherwise");
  const intel = read("seg_train/seg_train/ice/1 seg_train/seg_train/sea/2 seg_test/seg_test/ice/3");
  expect([intel.kept.split(" ").length, intel.bare]).toEqual([2, "ice/1 sea/2 ice/3"]);
  expect(read("a/train/1 a/test/2 b/train/3 b/test/4").bare).toBe("a/1 a/2 b/3 b/4");
  expect(read("a/train/1 a/test/2 b/train/3 b/test/4").kept).toBe("a/train/1 b/train/3");
  expect(read("data/Training/a/1 data/Testing/a/2").kept).toBe("data/Training/a/1");
  const stl = "train/a/1 test/a/2 unlabeled/3";
  expect(read(stl).kept).toBe("train/a/1 unlabeled/3");
  expect(read(stl, "heldOut").kept).toBe("test/a/2");
  expect(read(stl, "train").kept).toBe("train/a/1");
  expect(read(stl, "all")).toEqual({ kept: stl, bare: "a/1 a/2 3", said: "" });
  expect(read("train_images/1 test_images/2 sample/3").kept).toBe("train_images/1");
  expect(read("public_train/a/1 private_test/a/2").kept).toBe("public_train/a/1");
  expect(read("Training/a/1 PublicTest/a/2 PrivateTest/a/3").bare).toBe("a/1 a/2 a/3");
  expect(read("labeled/a/1 unlabeled/2")).toMatchObject({
    bare: "a/1 2",
    kept: "labeled/a/1 unlabeled/2",
  });
  expect(read("images/Train_0.jpg images/Test_0.jpg").kept).toBe("images/Train_0.jpg");
  expect(read("a/1 a/2 a/3 train/1 test/1").kept).toBe("a/1 a/2 a/3 train/1"); // parts are a detail
});

test("a part is told from a class by the folders beside it and in it", () => {
  const flat = "bus/1 car/2 cat/3 dog/4 ship/5 test/6";
  expect(read(flat).kept).toBe(flat);
  expect(read(flat).said).toBe(
    '"test" is taken for a class like the folders beside it, not for a part',
  );
  expect(read(flat, "train").kept).toBe("bus/1 car/2 cat/3 dog/4 ship/5"); // asked for, so it is one
  const vehicles = "bus/1 car/2 plane/3 train/4 ship/5 truck/6";
  expect(read(vehicles)).toEqual({ kept: vehicles, bare: vehicles, said: "" });
  expect(read("steam_train/1 test_tube/2 bus/3").said).toBe("");
  const beside = read("cat/1 dog/2 unlabeled/3 unlabeled/4 unlabeled/5 unlabeled/6");
  expect(beside.bare).toBe("cat/1 dog/2 3 4 5 6");
  expect(beside.kept.split(" ").length).toBe(6);
  const within = read("cats/1 dogs/2 test/cats/3 test/dogs/4");
  expect([within.kept, within.bare]).toEqual(["cats/1 dogs/2", "cats/1 dogs/2 cats/3 dogs/4"]);
  expect(read("base/cat/1 base/dog/2 test/cat/3 test/dog/4").kept).toBe("base/cat/1 base/dog/2");
  const sides = "base/front/1 base/back/2 dev/front/3 dev/top/4"; // of things, not of their classes
  expect(read(sides).kept).toBe(sides);
  expect(read("test/1 test/2").kept).toBe("test/1 test/2"); // nothing else is there
});

test("a part that is not there is refused with those that are", () => {
  expect(() => read("train/1 train/2 test/3", "val")).toThrow(
    'split: "here" has no part val, there are 1 image of test, 2 images of train',
  );
  expect(() => read("a/1", "test")).toThrow("its folders and files name no parts");
});
