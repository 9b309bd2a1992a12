import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { encodePng } from "../src/data/index.ts";
import { blobs } from "../src/data/testing.ts";
import { encoders } from "../src/encoders/index.ts";
import { writeSafetensors } from "../src/files/index.ts";
import { contrapose, scratch } from "./cli.ts";

const folder = scratch();
const photos = folder.at("photos");
const start = folder.at("tiny-resnet");
const table = folder.at("vectors");
const env = { HF_HUB_OFFLINE: "1", HF_HUB_CACHE: folder.at("hub") };
const offline = { env, cwd: folder.at(".") };

beforeAll(async () => {
  for (const [k, kind] of ["dog", "shoe"].entries()) {
    mkdirSync(join(photos, kind), { recursive: true });
    for (let i = 0; i < 5; i++) {
      const png = await encodePng(blobs(100 * k + i, 40 + 4 * i, 40));
      writeFileSync(join(photos, kind, `${i}.png`), png);
    }
  }
  mkdirSync(start);
  const network = encoders.resnet({ blocks: [1], widths: [4], stemWidth: 4, stem: "standard" });
  const { parameters, statistics } = network.init(1);
  const arrays = { ...parameters, ...statistics, "fc.weight": parameters["bn1.weight"] };
  await writeSafetensors(join(start, "model.safetensors"), arrays);
  const pretrained_cfg = {
    input_size: [3, 32, 32],
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    crop_pct: 0.875,
    interpolation: "bicubic",
  };
  writeFileSync(join(start, "config.json"), JSON.stringify({ architecture: "r", pretrained_cfg }));
});
afterAll(() => folder.remove());

describe("--from", () => {
  test("embeds with pretrained weights, and search asks the same encoder", async () => {
    const args = ["embed", photos, "--from", start, "--out", table, "--json"];
    const { code, json, err } = await contrapose(args, offline);
    expect([code, err]).toEqual([0, expect.not.stringContaining("Error")]);
    expect(json()).toMatchObject({ images: 10, dimension: 4 });
    const image = join(photos, "dog", "0.png");
    const found = await contrapose(["search", table, "--image", image, "--json"], offline);
    expect([found.code, found.err]).toEqual([0, ""]);
    const [nearest] = (found.json() as { hits: { id: string; similarity: number }[] }).hits;
    expect(nearest.id).toBe("dog/0.png");
    expect(nearest.similarity).toBeCloseTo(1, 5);
    const other = await contrapose([...args, "--image-size", "48"], offline);
    expect(other.code).toBe(2);
    expect(other.err).toContain("holds vectors of another encoder");
  });

  test("says that images of a packed dataset are resized once more", async () => {
    const [packed, out] = [folder.at("packed"), folder.at("of-packed")];
    await contrapose(["pack", photos, "--out", packed], offline);
    const { code, err } = await contrapose(
      ["embed", packed, "--from", start, "--out", out],
      offline,
    );
    expect(code).toBe(0);
    expect(err).toContain("images stored at 160 px are resized once more");
  });

  test("finds the odd image of a folder", async () => {
    const mixed = folder.at("mixed");
    mkdirSync(mixed);
    for (let i = 0; i < 9; i++) {
      const odd = {
        width: 40,
        height: 40,
        channels: 3 as const,
        data: new Uint8Array(4800).fill(255),
      };
      writeFileSync(join(mixed, `${i}.png`), await encodePng(i === 4 ? odd : blobs(i, 40, 40)));
    }
    const args = ["outliers", mixed, "--from", start, "--json", "--out", folder.at("odd.html")];
    const { code, json } = await contrapose(args, offline);
    expect(code).toBe(0);
    const { outliers } = json() as { outliers: { id: string; score: number }[] };
    expect(outliers[0].id).toBe("4.png");
    expect(outliers).toHaveLength(9);
  });

  test("evaluates and exports it", async () => {
    const asked = ["--train", photos, "--image-size", "24", "--no-baselines", "--json"];
    const { code, json } = await contrapose(["evaluate", "--from", start, ...asked], offline);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ classes: ["dog", "shoe"], baselines: { chance: 0.5 } });
    const out = folder.at("exported");
    const exported = await contrapose(["export", "--from", start, "--out", out, "--json"], offline);
    expect(exported.code).toBe(0);
    const onnx = join(out, "encoder.onnx");
    const again = await contrapose(
      ["evaluate", "--from", onnx, "--train", photos, "--json"],
      offline,
    );
    expect([again.code, again.err]).toEqual([0, expect.not.stringContaining("missing")]);
    expect(again.json()).toMatchObject({ images: { train: 8, test: 2 } });
  });

  test("exports it as a folder of a hub, which is a start again", async () => {
    const hub = folder.at("as-a-hub");
    const args = ["export", "--from", start, "--to", "hub-folder", "--out", hub];
    const { code, out } = await contrapose(args, offline);
    expect(code).toBe(0);
    expect(out).toContain("read it before you publish");
    const twice = await contrapose(args, offline);
    expect([twice.code, twice.err]).toEqual([2, expect.stringContaining("exists")]);
    const from = ["evaluate", "--from", hub, "--train", photos, "--no-baselines", "--json"];
    const evaluated = await contrapose(from, offline);
    expect([evaluated.code, evaluated.err]).toEqual([0, expect.not.stringContaining("Error")]);
  });

  test("says what is no encoder, and where files of a known one belong", async () => {
    const wrong = await contrapose(["embed", photos, "--from", "efficientnet-lite1"], offline);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('"efficientnet-lite1" is no run, folder or file here');
    expect(wrong.err).toContain("did you mean efficientnet-lite0?");
    const absent = await contrapose(["embed", photos, "--from", "efficientnet-lite0"], offline);
    expect(absent.code).toBe(2);
    expect(absent.err).toContain("HF_HUB_OFFLINE forbids to fetch it");
    expect(absent.err).toContain(
      join("models--timm--tf_efficientnet_lite0.in1k", "snapshots", "main"),
    );
    const twice = await contrapose(["evaluate", "runs/a", "--from", start], offline);
    expect(twice.err).toContain("the encoder is given twice, as runs/a and as --from");
  });
});
