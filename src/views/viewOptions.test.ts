import { expect, test } from "vitest";
import { z } from "zod";

import { cropsWithBoxes, transformsOf, viewPresets } from "./policy.ts";
import { ViewOptions, viewPolicy } from "./viewOptions.ts";

test("nothing said gives SimCLR's views for small images", () => {
  const policy = viewPolicy();
  expect(policy).toMatchObject({ size: 32, count: 2, flip: 0.5, grey: 0.2 });
  expect(policy.crop.scale).toEqual([0.2, 1]);
  expect(policy.jitter).toMatchObject({
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    hue: 0.1,
  });
  expect(policy.blur.probability).toBe(0);
});

test("what is said lies over the preset, part by part", () => {
  const policy = viewPolicy({ preset: "photo", size: 128, jitter: { hue: 0.2 } });
  expect(policy.size).toBe(128);
  expect(policy.blur).toEqual({ probability: 0.5, sigma: [0.1, 2] });
  expect(policy.jitter).toEqual({ ...viewPresets.photo.jitter, hue: 0.2 });
  expect(viewPresets.photo.jitter.hue).toBe(0.1);
});

test("a whole policy is valid as options and stays itself", () => {
  for (const preset of Object.values(viewPresets)) {
    expect(viewPolicy(preset)).toEqual(preset);
    expect(viewPolicy(JSON.parse(JSON.stringify(preset)) as ViewOptions)).toEqual(preset);
  }
});

test("every mistake is named, with a suggestion", () => {
  const wrong = {
    sise: 32,
    jitter: { hu: 0.1 },
    grey: 2,
    blur: { kernel: 4 },
    crop: { scale: [1, 0.2] },
  };
  expect(() => viewPolicy(wrong as unknown as ViewOptions)).toThrow(
    /sise is not an option, did you mean size\?/,
  );
  for (const part of [
    /jitter.hu is not an option, did you mean hue\?/,
    /grey: .*\(is 2\)/,
    /blur.kernel: must be odd \(is 4\)/,
    /crop.scale: the first number must not exceed the second \(is \[1,0.2\]\)/,
  ]) {
    expect(() => viewPolicy(wrong as unknown as ViewOptions)).toThrow(part);
  }
});

test("a view shares with an earlier one only", () => {
  const share = { from: 1, transforms: ["crop" as const] };
  expect(() => viewPolicy({ perView: [{}, { share }] })).toThrow(
    "views: perView.1.share.from: view 1 can share with an earlier view only (is 1)",
  );
});

test("a contrastive crop needs nothing more than its kind", () => {
  const { crop } = viewPolicy({ crop: { kind: "contrastive" } });
  expect(crop).toMatchObject({ alpha: 0.6, exact: true, boxes: "encoder", threshold: 0.1 });
  expect(crop).toMatchObject({ warmup: 0.2, interval: 0.2, scale: [0.2, 1] });
  expect(crop.box).toBeUndefined();
  expect(viewPolicy().falsePositives).toBe(0);
});

test("which views are drawn for a box is told by kind and fixed box", () => {
  const alphas = (given: ViewOptions) =>
    cropsWithBoxes(viewPolicy(given)).map(({ alpha }) => alpha);
  expect(alphas({})).toEqual([]);
  expect(alphas({ crop: { kind: "contrastive" } })).toEqual([0.6, 0.6]);
  expect(alphas({ crop: { kind: "contrastive", box: [0.25, 0.25, 0.75, 0.75] } })).toEqual([]);
  const second = { crop: { kind: "contrastive" as const, alpha: 0.1 } };
  expect(alphas({ perView: [{}, second], count: 3 })).toEqual([0.1]);
});

test("boxes that make no sense are refused", () => {
  const wrong: [ViewOptions["crop"], string][] = [
    [{ kind: "contrastive", box: [0.5, 0, 0.4, 1] }, "must be left, top, right, bottom"],
    [{ box: [0, 0, 1, 1] }, "only crop.kind contrastive looks at a box"],
    [{ kind: "contrastive", interval: 0 }, "must be more than 0"],
  ];
  for (const [crop, message] of wrong) expect(() => viewPolicy({ crop })).toThrow(message);
  const perView = [{ crop: { warmup: 0.5 } }] as unknown as NonNullable<ViewOptions["perView"]>;
  expect(() => viewPolicy({ perView })).toThrow(/perView.0.crop.warmup is not an option/);
});

test("there are as many views as perView speaks of, and the rest follow the policy", () => {
  const policy = viewPolicy({ perView: [{}, {}, { flip: 1, blur: { probability: 1 } }] });
  expect(policy.count).toBe(3);
  expect(transformsOf(policy, 1).flip).toBe(0.5);
  expect(transformsOf(policy, 2).flip).toBe(1);
  expect(transformsOf(policy, 2).blur).toEqual({ probability: 1, sigma: [0.1, 2] });
});

test("the options have a JSON Schema with a sentence for every field of the first level", () => {
  const schema = z.toJSONSchema(ViewOptions, { io: "input" });
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    expect([name, typeof (field as { description?: string }).description]).toEqual([
      name,
      "string",
    ]);
  }
});
