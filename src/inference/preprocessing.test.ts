import { describe, expect, test } from "vitest";

import { activationOf } from "../encoders/named/family.ts";
import { centreCrop } from "./embedder.ts";
import { preprocessingOf } from "./preprocessing.ts";

const half = [0.5, 0.5, 0.5];
const processor = { image_mean: half, image_std: half, do_rescale: true, rescale_factor: 1 / 255 };

describe("preprocessingOf", () => {
  test("reads timm's pretrained_cfg", () => {
    const pretrained_cfg = {
      input_size: [3, 224, 224],
      mean: half,
      std: half,
      crop_pct: 0.875,
      interpolation: "bicubic",
      crop_mode: "center",
    };
    expect(preprocessingOf({ pretrained_cfg }, undefined)).toEqual({
      imageSize: 224,
      mean: half,
      std: half,
      crop: { of: "square", share: 0.875 },
      interpolation: "bicubic",
    });
    const squash = { ...pretrained_cfg, crop_mode: "squash", crop_pct: 1 };
    expect(preprocessingOf({ pretrained_cfg: squash }, undefined).crop).toEqual({
      of: "whole",
      share: 1,
    });
    const odd = { ...pretrained_cfg, input_size: [3, 224, 192] };
    expect(() => preprocessingOf({ pretrained_cfg: odd }, undefined)).toThrow("square images");
  });

  test("reads transformers' processors", () => {
    const cropped = {
      ...processor,
      size: { shortest_edge: 256 },
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      resample: 3,
    };
    expect(preprocessingOf({}, cropped)).toMatchObject({
      imageSize: 224,
      crop: { of: "square", share: 0.875 },
      interpolation: "bicubic",
    });
    const whole = { ...processor, size: { height: 64, width: 64 }, resample: 2 };
    expect(preprocessingOf({}, whole)).toMatchObject({
      imageSize: 64,
      crop: { of: "whole", share: 1 },
    });
    const edge = { ...processor, size: { shortest_edge: 64 }, do_center_crop: false };
    expect(preprocessingOf({ model_type: "convnextv2" }, edge)).toMatchObject({
      imageSize: 64,
      crop: { of: "square", share: 0.875 },
    });
    const old = { ...processor, size: 32 };
    expect(preprocessingOf({}, old)).toMatchObject({ imageSize: 32 });
    expect(() => preprocessingOf({}, { ...whole, resample: 0 })).toThrow('"nearest" is not known');
  });

  test("puts mean and deviation of other scales into those of pixels in [0, 1]", () => {
    const raw = { ...processor, size: 32, do_rescale: false, image_mean: [127.5, 0, 255] };
    expect(preprocessingOf({}, raw).mean).toEqual([0.5, 0, 1]);
    const none = { size: 32, do_normalize: false };
    expect(preprocessingOf({}, none)).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] });
  });
});

test("centreCrop takes a share of the square or of the whole", () => {
  const image = { width: 200, height: 100, channels: 3 as const, data: new Uint8Array(0) };
  expect(centreCrop(image).crop).toEqual({ x: 50, y: 0, width: 100, height: 100 });
  const crop = { of: "square" as const, share: 0.8 };
  expect(centreCrop(image, { crop }).crop).toEqual({ x: 60, y: 10, width: 80, height: 80 });
  const whole = { of: "whole" as const, share: 1 };
  expect(centreCrop(image, { crop: whole }).crop).toEqual({ x: 0, y: 0, width: 200, height: 100 });
});

test("what is no number and no name is told in short words, never as an error of the runtime", () => {
  const odd = { toString: 1 }; // which no text can be made of
  const timm = (given: object) => preprocessingOf({ pretrained_cfg: given }, undefined);
  expect(timm({ mean: [odd, 0, 0], std: [1, "1", 1] })).toMatchObject({
    mean: undefined,
    std: undefined,
  });
  expect(() => timm({ input_size: [3, odd, 8] })).toThrow('input_size is [3,{"toString":1},8]');
  const side = { size: { height: odd, width: 8 } };
  expect(() => preprocessingOf({}, side)).toThrow('size is {"toString":1} × 8');
  expect(() => timm({ mean: [], interpolation: "x".repeat(9000) })).toThrow(
    /^the interpolation "x{40}"… \(9000 characters\)/,
  );
  expect(() => activationOf({ act: "constructor" }, "act", "relu")).toThrow(
    'the activation "constructor" is unknown',
  );
});
