import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, describe, expect, test } from "vitest";

import { DataError } from "../../core/errors.ts";
import type { PixelSource } from "../../core/pixels.ts";
import { randomStream } from "../../core/random.ts";
import { openPixels } from "../../files/pixels.ts";
import { epochOrder } from "./batches.ts";
import { drawImageViews } from "../imageViews.ts";
import { setBox, wholeBoxes } from "../crop/boxes.ts";
import { openViewLoader } from "./loader.ts";
import type { ViewBatch, ViewLoaderOptions } from "./loader.ts";
import type { ViewParameters } from "../parameters.ts";
import { createRenderer } from "../draw/render.ts";
import { viewPolicy } from "../viewOptions.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-views-"));
afterAll(() => rmSync(folder, { recursive: true }));
const built = existsSync(new URL("../../../dist/views/load/viewWorker.js", import.meta.url));

/** 23 images of several sizes in two segments. */
function layout() {
  const stream = randomStream(5);
  const count = 23;
  const sizes = Array.from({ length: count }, () => [
    9 + stream.integer(12),
    9 + stream.integer(12),
  ]);
  const lengths = [0, 0];
  const offsets = sizes.map(([w, h], i) => (lengths[i % 2] += w * h * 3) - w * h * 3);
  const bytes = lengths.map((n) => Uint8Array.from({ length: n }, () => stream.integer(256)));
  return {
    bytes,
    tables: {
      count,
      segments: Uint16Array.from(sizes, (_, i) => i % 2),
      offsets: Float64Array.from(offsets),
      widths: Uint16Array.from(sizes, ([w]) => w),
      heights: Uint16Array.from(sizes, ([, h]) => h),
      groups: Int32Array.from(sizes, (_, i) => i >> 1),
    },
  };
}

function sharedSource(): PixelSource {
  const { bytes, tables } = layout();
  const buffers = bytes.map((segment) => {
    const buffer = new SharedArrayBuffer(segment.length);
    new Uint8Array(buffer).set(segment);
    return buffer;
  });
  return { kind: "shared", buffers, ...tables };
}

function fileSource(name: string): PixelSource & { paths: readonly string[] } {
  const { bytes, tables } = layout();
  const paths = bytes.map((segment, i) => {
    const path = join(folder, `${name}-${i}.bin`);
    writeFileSync(path, segment);
    return path;
  });
  return { kind: "files", paths, ...tables };
}

const policy = viewPolicy({ preset: "photo", size: 8, cutout: { probability: 0.5 } });
const options = (more: Partial<ViewLoaderOptions> = {}): ViewLoaderOptions => ({
  source: sharedSource(),
  policy,
  seed: 3,
  batchSize: 5,
  epochs: 3,
  workers: 0,
  ...more,
});

type Copy = Omit<ViewBatch, "parameters" | "shape" | "waitMs"> & { made: unknown };
async function collect(given: ViewLoaderOptions): Promise<Copy[]> {
  const copies: Copy[] = [];
  for await (const batch of openViewLoader(given)) {
    const { epoch, stepInEpoch, step } = batch;
    const made = [0, 1].map((v) => Array.from(batch.ids, (_, b) => batch.parameters(v, b)));
    copies.push({
      epoch,
      stepInEpoch,
      step,
      made,
      ids: batch.ids.slice(),
      groups: batch.groups.slice(),
      sources: batch.sources.slice(),
      views: batch.views.slice(),
    });
  }
  return copies;
}

describe("batches", () => {
  test("an epoch meets every image once, in its own order, and leaves the rest over", async () => {
    const batches = await collect(options());
    expect(batches.map(({ epoch, stepInEpoch }) => [epoch, stepInEpoch])).toEqual(
      [0, 1, 2].flatMap((epoch) => [0, 1, 2, 3].map((step) => [epoch, step])),
    );
    for (const epoch of [0, 1, 2]) {
      const ids = batches.filter((b) => b.epoch === epoch).flatMap((b) => [...b.ids]);
      expect(new Set(ids).size).toBe(20);
      expect(ids).toEqual([...epochOrder(3, epoch, 23).subarray(0, 20)]);
    }
    expect([...batches[0].ids]).not.toEqual([...batches[4].ids]);
  });

  test("every row is the view that its parameters make of its image", async () => {
    const source = sharedSource();
    const reader = openPixels(source);
    const render = createRenderer(policy);
    for (const { epoch, ids, groups, views, made } of (await collect(options())).slice(3, 6)) {
      ids.forEach((image, b) => {
        const pixels = reader.image(image);
        const drawn = drawImageViews(policy, { seed: 3, epoch, image }, pixels);
        drawn.forEach((parameters, v) => {
          const expected = new Float32Array(3 * 8 * 8);
          render(pixels, parameters, expected);
          const row = v * 5 + b;
          expect(views.slice(row * 192, (row + 1) * 192)).toEqual(expected);
          expect((made as unknown[][])[v][b]).toEqual(parameters);
        });
        expect(groups[b]).toBe(image >> 1);
      });
    }
  });

  test("loading from the middle continues the same batches", async () => {
    const whole = await collect(options());
    const rest = await collect(options({ from: { epoch: 1, stepInEpoch: 2 } }));
    expect(rest).toEqual(whole.slice(6));
    const next = await collect(options({ from: { epoch: 1, stepInEpoch: 4 } }));
    expect(next).toEqual(whole.slice(8));
  });

  test("pixels from files and from memory give the same batches", async () => {
    const source = fileSource("same");
    expect(await collect(options({ source }))).toEqual(await collect(options()));
  });
});

/** A small box in another corner of every image. */
const boxes = wholeBoxes(23);
for (let i = 0; i < 23; i++) {
  const [left, top] = [(i % 3) * 0.4, (i % 2) * 0.8];
  setBox(boxes, i, { left, top, right: left + 0.2, bottom: top + 0.2 });
}
const contrastive = viewPolicy({
  preset: "photo",
  size: 8,
  falsePositives: 0.5,
  crop: { kind: "contrastive", alpha: 0.4, scale: [0.1, 0.4] },
});

describe("boxes and false positives", () => {
  test("boxes decide where crops are, and only that", async () => {
    const [random, free, boxed] = await Promise.all([
      collect(
        options({
          policy: viewPolicy({ ...contrastive, crop: { kind: "random", scale: [0.1, 0.4] } }),
        }),
      ),
      collect(options({ policy: contrastive })),
      collect(options({ policy: contrastive, boxes })),
    ]);
    expect(free).toEqual(random);
    expect(boxed[0].ids).toEqual(free[0].ids);
    expect(boxed[0].sources).toEqual(free[0].sources);
    expect(boxed[0].views).not.toEqual(free[0].views);
  });

  test("a view is of the image that is named as its source", async () => {
    const source = sharedSource();
    const reader = openPixels(source);
    const render = createRenderer(contrastive);
    let others = 0;
    for (const { ids, sources, views, made } of await collect(
      options({ policy: contrastive, boxes }),
    )) {
      sources.forEach((image, row) => {
        const parameters = (made as ViewParameters[][])[row < 5 ? 0 : 1][row % 5];
        expect(parameters.source).toBe(image === ids[row % 5] ? undefined : image);
        const expected = new Float32Array(192);
        render(reader.image(image), parameters, expected);
        expect(views.slice(row * 192, (row + 1) * 192)).toEqual(expected);
        if (image === ids[row % 5]) return;
        expect(row).toBeGreaterThanOrEqual(5); // never view 0
        others++;
      });
    }
    expect(others).toBeGreaterThan(18); // of 60, at a rate of 1/2
    expect(others).toBeLessThan(42);
  });

  test("without false positives the sources are the images", async () => {
    const [{ ids, sources }] = await collect(options());
    expect([...sources]).toEqual([...ids, ...ids]);
  });

  test("boxes of another dataset are refused", () => {
    expect(() => openViewLoader(options({ boxes: wholeBoxes(22) }))).toThrow(
      "views: boxes has 88 numbers, expected 4 for each of 23 images",
    );
  });
});

describe("what is refused", () => {
  test("a dataset smaller than a batch", () => {
    expect(() => openViewLoader(options({ batchSize: 24 }))).toThrow(
      "views: the dataset has 23 images, expected at least one batch of 24",
    );
  });

  test("numbers that are not whole or too small", () => {
    expect(() => openViewLoader(options({ batchSize: 2.5 }))).toThrow(
      "views: batchSize is 2.5, expected a whole number of at least 1",
    );
    expect(() => openViewLoader(options({ workers: -1 }))).toThrow("workers is -1");
    expect(() => openViewLoader(options({ from: { epoch: 0, stepInEpoch: 5 } }))).toThrow(
      "from.stepInEpoch is 5, expected at most 4",
    );
  });

  test("a shard that is cut short", async () => {
    const source = fileSource("cut");
    truncateSync(source.paths[1], 1000);
    await expect(collect(options({ source }))).rejects.toThrow(/shard ".*cut-1.bin" ends at byte/);
  });
});

describe.skipIf(!built)("worker threads (need npm run build)", () => {
  test("any number of workers and any look-ahead give the same batches", async () => {
    const here = await collect(options());
    for (const [workers, ahead] of [
      [1, 1],
      [2, 3],
      [3, 2],
    ]) {
      const source = workers === 2 ? fileSource("workers") : sharedSource();
      expect(await collect(options({ workers, ahead, source }))).toEqual(here);
    }
  });

  test("so they do with boxes and false positives", async () => {
    const here = await collect(options({ policy: contrastive, boxes }));
    for (const workers of [1, 2, 3]) {
      const source = workers === 2 ? fileSource("boxes") : sharedSource();
      const more = { workers, source, policy: contrastive, boxes };
      expect(await collect(options(more))).toEqual(here);
    }
    const rest = { from: { epoch: 1, stepInEpoch: 2 }, workers: 2 };
    expect(await collect(options({ policy: contrastive, boxes, ...rest }))).toEqual(here.slice(6));
  });

  test("workers do not write over batches while nobody asks", async () => {
    const here = await collect(options());
    const loader = openViewLoader(options({ workers: 2, ahead: 2 }));
    for (const { step, ids, views } of here) {
      // Time enough to make everything, were it not for the look-ahead of two batches.
      if (step % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
      const batch = await loader.next();
      expect([batch?.step, batch?.ids, batch?.views]).toEqual([step, ids, views]);
    }
    expect(await loader.next()).toBeUndefined();
    expect(await loader.next()).toBeUndefined();
    await loader.close();
  });

  test("a closed loader says so", async () => {
    const loader = openViewLoader(options({ workers: 2 }));
    await loader.next();
    await loader.close();
    await expect(loader.next()).rejects.toThrow("the loader was closed");
  });

  test("what fails in a worker rejects with the sentence, its hint and its cause", async () => {
    const source = fileSource("broken");
    truncateSync(source.paths[0], 900);
    const loader = openViewLoader(options({ source, workers: 2 }));
    const failing = (async () => {
      while ((await loader.next()) !== undefined);
    })();
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(/shard ".*broken-0.bin" ends at byte/);
    expect((error as DataError).hint).toContain("pack it again");
    expect((error as DataError).cause).toBeInstanceOf(Error);
    await expect(loader.next()).rejects.toBe(error);
    await loader.close();
  });

  test.each([
    ["process.exit(7)", "a worker ended early, with exit code 7"],
    ["process.exit(0)", "a worker ended early, with exit code 0"],
    ["throw new Error('lost')", "a worker failed: lost"],
  ])("a worker that does %s is noticed", async (code, message) => {
    const path = join(folder, "odd.mjs");
    writeFileSync(path, `setTimeout(() => { ${code} }, 20);`);
    const loader = openViewLoader(options({ workers: 2, script: pathToFileURL(path) }));
    await expect(loader.next()).rejects.toThrow(message);
    await loader.close();
  });

  test("closing while a batch is awaited rejects it", async () => {
    const path = join(folder, "idle.mjs");
    writeFileSync(path, "setInterval(() => {}, 1000);");
    const loader = openViewLoader(options({ workers: 1, script: pathToFileURL(path) }));
    const pending = expect(loader.next()).rejects.toThrow("the loader was closed");
    await expect(loader.next()).rejects.toThrow("ask for one at a time");
    await loader.close();
    await pending;
  });

  test("a program that forgets to close its loader still ends", () => {
    const index = new URL("../../../dist/views/index.js", import.meta.url).href;
    const program = `
      import { openViewLoader, viewPolicy } from ${JSON.stringify(index)};
      const source = {
        kind: "shared", count: 8, buffers: [new SharedArrayBuffer(192)],
        segments: new Uint16Array(8), offsets: new Float64Array(8),
        widths: new Uint16Array(8).fill(8), heights: new Uint16Array(8).fill(8),
      };
      const policy = viewPolicy({ size: 8 });
      const loader = openViewLoader({ source, policy, seed: 1, batchSize: 4, workers: 2 });
      for (let i = 0; i < 5; i++) console.log((await loader.next()).step);`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(stdout.trim().split("\n")).toEqual(["0", "1", "2", "3", "4"]);
    expect(status).toBe(0);
  });

  test("the time spent waiting is accounted for", async () => {
    const loader = openViewLoader(options({ workers: 1 }));
    let sum = 0;
    for (let batch = await loader.next(); batch; batch = await loader.next()) sum += batch.waitMs;
    expect(sum).toBeGreaterThan(0); // the first batch has to be waited for
    expect(loader.waitedMs).toBeCloseTo(sum, 6);
    await loader.close();
  });
});
