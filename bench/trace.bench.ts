import { bench, describe } from "vitest";

import { trace } from "../src/engine/trace.ts";
import { createFramework } from "../src/frameworks/index.ts";

const shared = { imageSize: 32, datasetSize: 50_000, metrics: false };
const head = { name: "mlp", bias: false } as const;

// tracing happens once a run; the bar is a second for ResNet-18
describe("trace of a whole training step", () => {
  for (const framework of ["simclr", "moco", "instDisc"] as const) {
    const built = createFramework({
      framework,
      encoder: "resnet18",
      head,
      batchSize: 32,
      ...shared,
    });
    const state = built.init();
    bench(`${framework}, ResNet-18, 32 images`, async () => {
      await trace(built.step, [state, built.batchSpec]);
    });
  }
});
