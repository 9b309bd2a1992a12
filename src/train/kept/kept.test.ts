import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { evaluate } from "../../evaluate/index.ts";
import { renderSamples } from "../../data/index.ts";
import { keptFeatures } from "../../inference/featureFile.ts";
import {
  fixedEncoder,
  loadEncoder,
  openImages,
  START,
  weightsPath,
} from "../../inference/index.ts";
import { viewPolicy } from "../../views/index.ts";
import type { TrainSettings } from "../../config/schema.ts";
import { openTrainingData } from "../dataset.ts";
import { omit } from "../../config/layers.ts";
import { readRunConfig } from "../run/runConfig.ts";
import { runFolder } from "../run/runFolder.ts";
import { isFar, withWholeImages } from "../../config/start.ts";
import { resume, train } from "../train.ts";
import { keptPlan } from "./keepFeatures.ts";
import { keptPlaces } from "./keptLoader.ts";
import { meetStart } from "./meetStart.ts";

let folder: string;
let start: string;
const images = () => join(folder, "drawn", "train");
const small = { imageSize: 16, batchSize: 16, threads: 1, workers: 0, tune: "off" } as const;
const statisticsOf = async (path: string) => (await loadEncoder(path)).variables.statistics;
const weightsOf = async (path: string) => (await loadEncoder(path)).variables.parameters;

/** A run that begins with the encoder of another. */
const begun = (out: string, more: object = {}): TrainSettings => ({
  data: images(),
  out: join(folder, out),
  from: start,
  epochs: 3,
  keptViews: 4,
  batchSize: 16,
  threads: 1,
  workers: 0,
  tune: "off",
  evaluation: { every: 1 },
  ...more,
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "contrapose-kept-"));
  await renderSamples(join(folder, "drawn"), { train: 48, test: 0, size: 24 });
  const encoder = { name: "convnet", width: 4 } as const;
  const { run } = await train({
    data: images(),
    out: join(folder, "start"),
    epochs: 1,
    encoder,
    ...small,
    evaluation: { every: 0 },
  });
  start = run;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("which kept views an image shows", () => {
  const alike = viewPolicy({ size: 16, count: 2 });
  const asked = { plan: keptPlan(alike, 8), count: 2, seed: 3 };

  test("differ within a step, and come from all that are kept", () => {
    const seen = new Set<number>();
    for (let epoch = 0; epoch < 50; epoch++) {
      const [a, b] = keptPlaces(asked, epoch, 7).map(({ view }) => view);
      expect(a).not.toBe(b);
      seen.add(a).add(b);
    }
    expect(seen.size).toBe(8);
    expect(keptPlaces(asked, 5, 7)).toEqual(keptPlaces(asked, 5, 7));
    expect(keptPlaces({ ...asked, seed: 4 }, 5, 7)).not.toEqual(keptPlaces(asked, 5, 7));
  });

  test("are kept once for steps that take different numbers of them", () => {
    expect(keptPlan({ ...alike, count: 5 }, 8)).toEqual(asked.plan);
    expect(keptPlan({ ...alike, count: 10 }, 8).policy.count).toBe(10);
  });

  test("are a set as it was drawn where views differ by policy", () => {
    const plan = keptPlan(viewPolicy({ size: 16, count: 2, perView: [{ flip: 0 }] }), 7);
    expect(plan.draws).toBe(4);
    const places = Array.from({ length: 20 }, (_, i) => keptPlaces({ ...asked, plan }, i, 7));
    for (const [a, b] of places) expect([a.view, b.view, b.draw]).toEqual([0, 1, a.draw]);
    expect(new Set(places.map(([{ draw }]) => draw)).size).toBe(4);
  });
});

describe("kept features", () => {
  const rows = Float32Array.from({ length: 12 }, (_, i) => i / 7);
  async function* blocks() {
    yield await Promise.resolve(rows.subarray(0, 8));
    yield rows.subarray(8);
  }

  test("are read back, and computed anew where a byte is not as it was", async () => {
    const place = join(folder, "features");
    const keep = () => keptFeatures(place, "abc", [4, 3], blocks);
    const first = await keep();
    const row = new Float32Array(5);
    first.features.read(2, row, 1);
    expect([...row]).toEqual([0, ...rows.subarray(6, 9), 0]);
    first.features.close();
    const again = await keep();
    expect([first.isNew, again.isNew]).toEqual([true, false]);
    again.features.close();
    const path = join(place, "abc", "features.npy");
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const mended = await keep();
    expect(mended.isNew).toBe(true);
    mended.features.close();
    expect(readdirSync(place)).toEqual(["abc"]);
  });
});

describe("a run behind a frozen body", () => {
  test("trains the adapter alone, and gives the whole encoder", async () => {
    const { run, evaluation, baselines } = await train(begun("a"));
    const [body, adapted] = [
      await weightsOf(start),
      await weightsOf(join(run, "checkpoints/last")),
    ];
    for (const [name, array] of Object.entries(body)) expect(adapted[name]).toEqual(array);
    expect(adapted["adapter.0.weight"].data.some((value) => value !== 0)).toBe(true);
    expect(Object.keys(adapted)).toHaveLength(Object.keys(body).length + 2);
    expect(evaluation?.knnBalanced).toBeGreaterThan(0);
    expect(baselines?.balancedStart).toBeGreaterThan(0);
    const behind = evaluation!.knnBalanced! < baselines!.balancedStart!;
    expect(weightsPath(run)).toBe(
      join(run, behind ? START : "checkpoints/last/weights.safetensors"),
    );
    expect(await weightsOf(join(run, START))).toEqual(body);
  });

  test("gives its start where it ends behind it, and not where it does not", async () => {
    const { run } = await train(begun("ends", { epochs: 1 }));
    const position = join(run, "checkpoints", "last", "position.json");
    const written = JSON.parse(readFileSync(position, "utf8")) as { behindStart: boolean };
    for (const behindStart of [true, false]) {
      writeFileSync(position, JSON.stringify({ ...written, behindStart }));
      expect(weightsPath(run).endsWith(START)).toBe(behindStart);
    }
    rmSync(join(run, START));
    await expect(resume(run)).rejects.toThrow("is missing: the run began with it");
    writeFileSync(position, JSON.stringify({ ...written, behindStart: true }));
    expect(() => weightsPath(run)).toThrow(`its ${START} is missing`);
    rmSync(position);
    expect(weightsPath(run)).toBe(join(run, "checkpoints/last/weights.safetensors"));
  });

  test("goes on bit for bit", async () => {
    const whole = await train(begun("whole"));
    const stop = new AbortController();
    const cut = await train(begun("cut"), {
      signal: stop.signal,
      listener: (event) => {
        if (event.kind === "step" && event.record.step === 3) stop.abort();
      },
    });
    expect(cut.finished).toBe(false);
    const { run } = await resume(cut.run);
    const last = "checkpoints/last";
    expect(await weightsOf(join(run, last))).toEqual(await weightsOf(join(whole.run, last)));
  });

  test.each([
    ["moco", { method: "moco" }],
    ["a memory bank", { method: "instDisc" }],
    ["supCon", { method: "supCon" }],
    ["views by policy", { method: "sortViews", keptViews: 8 }],
    ["mlp", { adapter: { name: "mlp", hidden: 8, standardise: true } }],
    ["residual", { adapter: { name: "residual", rank: 4 } }],
    ["false positives", { views: { falsePositives: 0.5 } }],
  ])("with %s", async (name, more) => {
    const { finished, loss } = await train(begun(name, { epochs: 1, ...more }));
    expect(finished).toBe(true);
    expect(loss).toBeGreaterThan(0);
  });

  test("what does not fit is refused", async () => {
    const wrong = (more: object) => train(begun("wrong", more));
    await expect(wrong({ encoder: { name: "convnet" } })).rejects.toThrow(
      "encoder: --from gives it already",
    );
    await expect(wrong({ freeze: "none" })).rejects.toThrow("frozen body");
    await expect(wrong({ from: undefined, keptViews: 8 })).rejects.toThrow("no pretrained encoder");
    await expect(wrong({ views: { mean: [0, 0, 0] } })).rejects.toThrow("views.mean");
    await expect(wrong({ method: "contrastiveCrop" })).rejects.toThrow("maps");
  });
});

test("a start is fed whole images where that is asked for, or where it hardly knows them", async () => {
  const data = await openTrainingData(images(), { out: join(folder, "met") });
  const loaded = await loadEncoder(start);
  const description = { ...loaded.description, crop: { of: "square", share: 0.9 } } as const;
  const found = fixedEncoder({ ...loaded, description });
  const given = { data, listener: () => undefined, signal: new AbortController().signal };
  const meet = (more: object) => meetStart(found, { out: join(folder, "met"), ...more }, given);
  try {
    const own = (await meet({ wholeImages: false }))!;
    expect(own.viewAgreement! * 48).toBeCloseTo(Math.round(own.viewAgreement! * 48));
    expect([own.description, own.hash]).toEqual([description, found.hash]);
    const whole = (await meet({ wholeImages: true }))!;
    expect(whole.description.crop).toEqual({ of: "whole", share: 1 });
    expect(whole.viewAgreement).toBe(own.viewAgreement);
    expect(whole.hash).not.toBe(found.hash);
    const chosen = (await meet({}))!;
    expect(chosen.hash).toBe(isFar(own) ? whole.hash : own.hash);
    expect(isFar({ viewAgreement: 0.39 })).toBe(true);
    expect(isFar({ viewAgreement: 0.41 })).toBe(false);
    expect(await meet({ freeze: "none" })).toBe(found);
    const squash = { ...description, crop: { of: "whole", share: 0.95 } } as const;
    const whole95 = fixedEncoder({ ...loaded, description: squash });
    expect(withWholeImages(whole95)).toBe(whole95);
  } finally {
    data.close();
  }
});

test("without freezing, all of a start is trained from its weights", async () => {
  const { run } = await train(
    begun("all", { keptViews: undefined, freeze: "none", epochs: 1, learningRate: 1e-6 }),
  );
  const [body, after] = [await weightsOf(start), await weightsOf(join(run, "checkpoints/last"))];
  expect(Object.keys(after)).toEqual(Object.keys(body));
  expect(await statisticsOf(join(run, "checkpoints/last"))).toEqual(await statisticsOf(start));
  for (const [name, { data }] of Object.entries(body)) {
    after[name].data.forEach((value, i) => expect(Number(value)).toBeCloseTo(Number(data[i]), 3));
    expect(after[name]).not.toEqual(body[name]);
  }
});

test("the start that a run may give says what the run was trained on", async () => {
  const { run } = await train(begun("behind", { data: join(folder, "drawn"), epochs: 1 }));
  const { description } = await loadEncoder(join(run, START));
  expect(description.training?.data).toBe(join(folder, "drawn"));
  expect(description.adapter).toBeUndefined();
});

test("without labels a run gives its last checkpoint", async () => {
  const bare = join(folder, "bare");
  const labelled = readdirSync(images(), { recursive: true, encoding: "utf8" });
  mkdirSync(bare);
  for (const name of labelled.filter((one) => extname(one) !== "")) {
    copyFileSync(join(images(), name), join(bare, basename(name)));
  }
  const { run, evaluation } = await train(begun("unlabelled", { data: bare }));
  expect(evaluation?.knnBalanced).toBeUndefined();
  expect(weightsPath(run)).toBe(join(run, "checkpoints/last/weights.safetensors"));
});

test("an evaluation by kept features is that of the whole encoder", async () => {
  const { run } = await train(begun("asked", { epochs: 1, adapter: { name: "mlp", hidden: 8 } }));
  const loaded = await loadEncoder(join(run, "checkpoints", "last"));
  const set = await openImages(images(), { cache: join(folder, ".packed") });
  const kept = join(folder, "kept");
  const whole = await evaluate(loaded, { train: set });
  const behind = await evaluate(loaded, { train: set }, { kept });
  expect(readdirSync(kept)).toHaveLength(2); // images, and pairs of views
  expect(behind.knn).toEqual(whole.knn);
  expect(behind.baselines.start!.knn).toEqual(whole.baselines.start!.knn);
  for (const [a, b] of [
    [behind, whole],
    [behind.baselines.start!, whole.baselines.start!],
  ]) {
    for (const figure of ["alignment", "uniformity", "effectiveRank"] as const) {
      expect(a[figure]).toBeCloseTo(b[figure], 4);
    }
  }
  set.close();
});

test("by labels of some images the adapter is trained on all, and an evaluation goes by the same labels", async () => {
  const set = await openImages(images(), { cache: join(folder, ".packed") });
  const given = [...set.labels!.keys()].filter((i) => i % 2 === 0);
  const lines = given.map((i) => `${set.idOf(i)},kind${set.labels![i] % 2}\n`);
  const labels = join(folder, "some.csv");
  writeFileSync(labels, `path,label\n${lines.join("")}nowhere.png,kind0\n`);
  const said: string[] = [];
  const some = { labels, epochs: undefined, evaluation: { every: 0 } };
  const { run, config } = await train(begun("some", some), {
    listener: (event) => void (event.kind === "note" && said.push(event.text)),
  });
  expect(config).toMatchObject({ method: "supCon", adapter: { name: "residual" }, epochs: 20 });
  expect(said.join("\n")).toContain("labels     of 24 of 48 images, 2 classes, from ");
  expect(said.join("\n")).toContain('"nowhere.png"');
  expect(said.filter((text) => text.includes("as kept in"))).toHaveLength(2); // as without labels
  const loaded = await loadEncoder(join(run, "checkpoints", "last"));
  expect(loaded.description.training?.labels).toBe(labels);
  const labelled = await openImages(images(), { cache: join(folder, ".packed"), labels });
  expect([labelled.classes, labelled.labels!.filter((label) => label < 0).length]).toEqual([
    ["kind0", "kind1"],
    24,
  ]);
  expect(labelled.fingerprint).not.toBe(set.fingerprint);
  const other = join(folder, "other.csv");
  writeFileSync(other, `path,label\n${set.idOf(0)},kind1\n`);
  await expect(resume(run, { given: { labels: other } })).rejects.toThrow("groups or labels");
  writeFileSync(other, "path,label\nnowhere.png,kind1\n");
  await expect(train(begun("none", { labels: other }))).rejects.toThrow("labels an image");
  for (const opened of [set, labelled]) opened.close();
});

test("a config of a run trains it again", async () => {
  const { run } = await train(begun("first", { epochs: 1 }));
  const written = omit(readRunConfig(runFolder(run)), "about", "start");
  const again = await train({ ...written, out: join(folder, "again") });
  const last = "checkpoints/last";
  expect(await weightsOf(join(again.run, last))).toEqual(await weightsOf(join(run, last)));
});

test("an adapter stays where all is trained, and gets none behind it", async () => {
  const { run } = await train(begun("adapted", { epochs: 1, adapter: { name: "mlp", hidden: 8 } }));
  const from = join(run, "checkpoints/last");
  await expect(train(begun("twice", { from }))).rejects.toThrow("has an adapter already");
  const more = { from, keptViews: undefined, freeze: "none", epochs: 1 };
  const whole = await train(begun("whole adapted", more));
  const { description, variables } = await loadEncoder(join(whole.run, "checkpoints/last"));
  expect(description.adapter).toMatchObject({ name: "mlp", hidden: 8 });
  expect(Object.keys(variables.parameters)).toEqual(Object.keys(await weightsOf(from)));
});
