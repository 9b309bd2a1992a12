import { describe, expect, test } from "vitest";

import { encoders } from "../../encoders/index.ts";
import { type ViewOptions, viewPolicy } from "../../views/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import {
  checkCrops,
  describeRefresh,
  describeStart,
  firstBoxes,
  isRefreshDue,
} from "./cropRefresh.ts";
import type { TrainingData } from "../dataset.ts";

const contrastive = (crop: ViewOptions["crop"] = {}) =>
  viewPolicy({ crop: { kind: "contrastive", ...crop } });
const due = (epochs: number, policy = contrastive()) =>
  Array.from({ length: epochs + 1 }, (_, i) => i).filter((epoch) =>
    isRefreshDue(epoch, policy, epochs),
  );

describe("when boxes are made anew", () => {
  test("as in the paper: at a fifth of the run and every fifth after it, not at the end", () => {
    expect(due(500)).toEqual([100, 200, 300, 400]);
    expect(due(100)).toEqual([20, 40, 60, 80]);
  });

  test("in short runs in whole epochs", () => {
    expect(due(1)).toEqual([]);
    expect(due(2)).toEqual([1]);
    expect(due(6)).toEqual([1, 2, 3, 4, 5]);
    expect(due(12)).toEqual([2, 4, 6, 8, 10]);
  });

  test("after the warm-up even where it is no multiple of the interval", () => {
    expect(due(20, contrastive({ warmup: 0.25, interval: 0.2 }))).toEqual([5, 9, 13, 17]);
    expect(due(10, contrastive({ warmup: 0, interval: 0.3 }))).toEqual([3, 6, 9]);
    expect(due(10, contrastive({ warmup: 1 }))).toEqual([]);
  });

  test("never where no view needs boxes of the encoder", () => {
    expect(due(10, viewPolicy())).toEqual([]);
    expect(due(10, contrastive({ box: [0.25, 0.25, 0.75, 0.75] }))).toEqual([]);
    expect(due(10, contrastive({ boxes: "dataset" }))).toEqual([]);
  });
});

const dataset = (box?: [number, number, number, number]) =>
  ({
    path: "photos",
    count: 2,
    pixels: { count: 2, widths: [40, 40], heights: [20, 20] },
    dataset: {
      entry: (index: number) => ({
        width: 40,
        height: 20,
        ...(index === 1 && box !== undefined ? { box } : {}),
      }),
    },
  }) as unknown as TrainingData;

describe("what a run starts with", () => {
  test("boxes of the dataset in shares, whole images where it has none", () => {
    const policy = contrastive({ boxes: "dataset" });
    expect([...firstBoxes(policy, dataset([10, 5, 20, 5]))!]).toEqual([
      ...[0, 0, 1, 1],
      ...[0.25, 0.25, 0.75, 0.5],
    ]);
    expect(firstBoxes(contrastive(), dataset([10, 5, 20, 5]))).toBeUndefined();
    expect(firstBoxes(viewPolicy(), dataset([10, 5, 20, 5]))).toBeUndefined();
  });

  test("what cannot work is said before", () => {
    const [convnet, vit] = [encoders.convnet(), encoders.vit({ depth: 1 })];
    const check = (policy: ReturnType<typeof viewPolicy>, encoder = convnet) =>
      checkCrops(policy, encoder, dataset());
    expect(() => check(contrastive(), vit)).toThrow("encoder vit has no feature maps");
    expect(() => check(contrastive({ boxes: "dataset" }))).toThrow(
      'views.crop.boxes is dataset, but no image of "photos" has a box',
    );
    check(contrastive());
    check(viewPolicy(), vit);
    check(contrastive({ box: [0, 0, 1, 1] }), vit);
  });
});

test("a refresh is described, with a warning where boxes restrict next to nothing", () => {
  const record = {
    ...({ kind: "crops", epoch: 3, step: 12, mapSide: 4, boxArea: 0.5 } as const),
    restrictedShare: 0.25,
    imagesPerSecond: 812.3,
    elapsedSeconds: 1,
  };
  const { crop } = contrastive();
  expect(describeRefresh(record, crop)).toBe(
    "crops      boxes after epoch 3 (812 images/s, maps of 4 × 4) hold 50.0 % of an image and restrict 25.0 % of the crops",
  );
  expect(describeRefresh({ ...record, restrictedShare: 0.008 }, crop)).toContain(
    "restrict 0.8 % of the crops, next to nothing: views.crop.threshold above 0.1 makes boxes smaller",
  );
});

describe("what is said of crops at the start", () => {
  const start = (epochs: number, views: ReturnType<typeof viewPolicy>, data = dataset()) =>
    describeStart({ config: { epochs, views, seed: 1 } as RunConfig, data });

  test("that a run is too short for boxes", () => {
    expect(start(1, contrastive())).toBe(
      "crops      all are random ones: with epochs 1 and views.crop.warmup 0.2 the encoder never makes boxes",
    );
    expect(start(2, contrastive())).toBeUndefined();
    expect(start(1, viewPolicy())).toBeUndefined();
  });

  test("what the boxes of the dataset do", () => {
    const policy = contrastive({ boxes: "dataset" });
    expect(start(5, policy, dataset([10, 5, 2, 5]))).toMatch(
      /boxes of the dataset hold 50.6 % of an image and restrict \d\d.\d % of the crops$/,
    );
    expect(start(5, policy, dataset([0, 0, 40, 20]))).toContain(
      "restrict 0.0 % of the crops, next to nothing: objects fill their images",
    );
  });
});
