import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { codeOf, filesOf, partsOf, standing } from "../scripts/codeOf.mjs";

const parts = partsOf({
  encoder: { name: "convnet" },
  head: { name: "mlp" },
  optimiser: { name: "sgd" },
  loss: { name: "infoNce" },
  samplers: [{ name: "groups" }, { name: "ring" }],
});

test("a figure depends on what its config names and on what trains, not on its neighbours", () => {
  expect(parts).toEqual([
    ...["encoders/convnet", "encoders/mlp", "losses/infoNce", "optim/sgd"],
    ...["sampling/groups", "sampling/ring"],
  ]);
  const files = filesOf(parts);
  const images = [
    "data/pixels/decodeImage.ts",
    "data/alike/groupImages.ts",
    "data/sample/renderSamples.ts",
  ];
  expect(files).toEqual(expect.arrayContaining(images));
  const needed = ["sampling/ring.ts", "sampling/ringSchedule.ts", "losses/infoNce.ts"];
  const always = [
    "engine/lower/convolution.ts",
    "frameworks/moco.ts",
    "train/loop.ts",
    "metrics/knn.ts",
  ];
  expect(files).toEqual(expect.arrayContaining([...needed, ...always, "views/draw/render.ts"]));
  const others = ["sampling/mochi.ts", "losses/supCon.ts", "encoders/vit.ts", "metrics/seeds.ts"];
  const none = [
    ...["train/planRun.ts", "core/version.ts", "compare/plan.ts", "losses/index.ts"],
    ...["train/health/probe.ts", "train/pairs/pairRecorder.ts", "frameworks/judge/recorder.ts"],
  ];
  expect(files.filter((file) => [...others, ...none].includes(file))).toEqual([]);
  expect(files.some((file) => file.endsWith(".test.ts"))).toBe(false);
});

test("what the doctor says depends on how it looks at a run", () => {
  const files = filesOf(parts, "doctor");
  const looks = ["train/health/findings.ts", "train/health/probe.ts", "train/loop.ts"];
  expect(files).toEqual(expect.arrayContaining(looks));
  expect(files).not.toContain("evaluate/evaluate.ts");
  expect(codeOf(parts, "doctor")).not.toBe(codeOf(parts));
  expect(standing({ code: codeOf(parts, "doctor"), parts }, "doctor")).toBe("current");
});

test("figures of other or unknown code fail, unless they are listed as of before", () => {
  const folder = mkdtempSync(join(tmpdir(), "contrapose-figures-"));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const record = (more: object) => `${JSON.stringify({ arm: "a", seed: 0, ...more })}\n`;
  const check = () => {
    const script = [join("scripts", "checkFigures.mjs"), folder];
    return spawnSync(process.execPath, script, { encoding: "utf8" });
  };
  try {
    write("good.jsonl", record({}) + record({ code: codeOf(parts), parts })); // the newest counts
    write("before.jsonl", record({}));
    write("older.json", '["before"]');
    expect(check().status).toBe(0);
    write("stale.jsonl", record({ code: "0".repeat(12), parts }));
    write("nameless.jsonl", record({}));
    const { status, stderr } = check();
    expect(status).toBe(1);
    expect(stderr).toContain("1 figures were measured with other code");
    expect(stderr).toContain("1 figures do not say what code");
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 30_000);

test("the hash tells whether a record is of the code as it is", () => {
  const code = codeOf(parts);
  expect(code).toMatch(/^[0-9a-f]{12}$/);
  expect(code).not.toBe(codeOf([...parts, "sampling/mochi"]));
  expect(standing({ code, parts })).toBe("current");
  expect(standing({ code: "0".repeat(12), parts })).toBe("other");
  expect(standing({})).toBe("unknown");
});
