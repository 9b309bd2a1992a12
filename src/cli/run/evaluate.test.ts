import { expect, test } from "vitest";

import type { Evaluation } from "../../evaluate/index.ts";
import { createPrinter } from "../printer.ts";
import { outcomeLines } from "./evaluate.ts";

test("where test images are copies the encoder is held against raw pixels without them", () => {
  const voted = (accuracy: number, withoutCopies?: number) => ({
    uniformity: -2,
    effectiveRank: 9,
    dimension: 64,
    alignment: 0.3,
    knn: {
      accuracy,
      balanced: accuracy,
      interval: [0, 1] as const,
      k: 20,
      temperature: 0.07,
      ...(withoutCopies === undefined ? {} : { withoutCopies }),
    },
  });
  const printer = createPrinter({ json: false, quiet: true, environment: { NO_COLOR: "1" } });
  const said = (copies: number, own?: number, pixels?: number) => {
    const evaluation: Evaluation = {
      ...voted(0.7, own),
      encoder: "a",
      encoderHash: "b",
      features: "features",
      classes: ["a", "b"],
      images: { train: 40, test: 48, how: "test images as given", copies },
      baselines: { chance: 0.5, untrained: voted(0.6, own && 0.5), pixels: voted(0.8, pixels) },
    };
    return outcomeLines(evaluation, printer);
  };
  expect(said(0)).toEqual([
    "raw pixels do better: k-NN is 10.0 points below raw pixels, 10.0 points above the untrained encoder",
  ]);
  const [first, warning] = said(32, 0.65, 0.4);
  expect(first).toBe(
    "k-NN without copies of training images is 15.0 points above the untrained encoder and 25.0 points above raw pixels",
  );
  expect(warning).toContain("32 of 48 test images are copies of training images");
});
