import { expect, test } from "vitest";

import { createFramework } from "../../frameworks/index.ts";
import { checkMemory } from "./checkMemory.ts";

const frameworkOf = (framework: object) =>
  createFramework({
    batchSize: 64,
    imageSize: 32,
    datasetSize: 1000,
    encoder: { name: "convnet", width: 16 },
    ...framework,
  });
const GIB = 2 ** 30;
const cpu = { device: "cpu" };

test.each(["simclr", "moco", "instDisc", "nnclr", "looc"])("an ordinary %s fits", (framework) => {
  checkMemory(frameworkOf({ framework }), cpu, GIB);
});

test.each(["moco", "nnclr", "looc"])("a queue that does not fit is refused: %s", (name) => {
  const large = frameworkOf({ framework: { name, queueSize: 10_000_000 } });
  expect(() => checkMemory(large, cpu, 2 * GIB)).toThrow(
    /^train: a step needs at least [\d.]+ GiB of memory, there are 2 GiB, a tenth of them for everything else: .*a memory of 10,000,000 × \d+ take/,
  );
  checkMemory(large, { device: "cuda" }, GIB);
});

test("a queue of ten million keys is refused on a machine of 24 GiB", () => {
  const large = frameworkOf({ batchSize: 16, framework: { name: "moco", queueSize: 10_000_000 } });
  expect(() => checkMemory(large, cpu, 23.5 * GIB)).toThrow(
    "a memory of 10,000,000 × 128 take 14 GiB",
  );
});

test("so are a bank, views and similarities", () => {
  const refused = (config: object, what: string) =>
    expect(() => checkMemory(frameworkOf(config), cpu, GIB / 16)).toThrow(what);
  refused({ framework: "instDisc", datasetSize: 1e6 }, "a memory of 1,000,000 × 128 take");
  refused({ imageSize: 256 }, "views of 128 × 3 × 256 × 256 take 0.19 GiB");
  refused({ batchSize: 4096, datasetSize: 8192 }, "similarities of 8,192 × 8,192 take 2 GiB");
});
