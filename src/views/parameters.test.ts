import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import { drawImageViews } from "./imageViews.ts";
import { PACKED_PARAMETERS, packParameters, unpackParameters } from "./load/packedParameters.ts";
import { drawViewParameters } from "./parameters.ts";
import type { ViewParameters } from "./parameters.ts";
import { viewPolicy } from "./viewOptions.ts";
import type { ViewOptions } from "./viewOptions.ts";

const everything: ViewOptions = {
  size: 24,
  verticalFlip: 0.5,
  rotation: { rightAngles: 0.5, probability: 0.5, degrees: 20 },
  blur: { probability: 0.5, kernel: 7 },
  solarise: { probability: 0.5, threshold: 0 },
  cutout: { probability: 0.5 },
};
const source = { width: 50, height: 40 };

function draws(options: ViewOptions, count: number, size = source): ViewParameters[] {
  const policy = viewPolicy({ ...options, count: 1 });
  return Array.from({ length: count }, (_, image) => {
    const [made] = drawImageViews(policy, { seed: 9, epoch: 0, image }, size);
    return made;
  });
}
const share = <T>(list: T[], is: (item: T) => boolean) => list.filter(is).length / list.length;
const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;

describe("random resized crop", () => {
  test("lies in the image, with area and shape in range up to whole pixels", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(10000),
        (width, height, seed) => {
          const policy = viewPolicy({ crop: { scale: [0.1, 0.7], ratio: [0.5, 2] } });
          const stream = randomStream(seed);
          const { crop } = drawViewParameters(policy, stream, { width, height });
          expect(Math.min(crop.x, crop.y)).toBeGreaterThanOrEqual(0);
          expect(Math.min(crop.width, crop.height)).toBeGreaterThanOrEqual(1);
          expect(crop.x + crop.width).toBeLessThanOrEqual(width);
          expect(crop.y + crop.height).toBeLessThanOrEqual(height);
          expect((crop.width + 0.51) / (crop.height - 0.51)).toBeGreaterThan(0.5);
          expect((crop.width - 0.51) / (crop.height + 0.51)).toBeLessThan(2);
        },
      ),
      { seed: 2, numRuns: 50 },
    );
  });

  test("areas are uniform, places reach every edge", () => {
    const crops = draws({ crop: { scale: [0.2, 0.8], ratio: [1, 1] } }, 4000, {
      width: 100,
      height: 100,
    }).map((made) => made.crop);
    const areas = crops.map((c) => (c.width * c.height) / 10000);
    expect(mean(areas)).toBeCloseTo(0.5, 1);
    expect(share(areas, (a) => a < 0.35)).toBeGreaterThan(0.22); // a quarter of the range
    expect(share(areas, (a) => a < 0.35)).toBeLessThan(0.28);
    expect(crops.some((c) => c.x === 0) && crops.some((c) => c.y === 0)).toBe(true);
    expect(crops.some((c) => c.x + c.width === 100)).toBe(true);
    expect(crops.some((c) => c.y + c.height === 100)).toBe(true);
  });

  test("falls back to the largest centred shape in range where none fits", () => {
    const whole = { crop: { scale: [1, 1], ratio: [3 / 4, 4 / 3] } } as ViewOptions;
    // 90 × 10: at most 10 · 4/3 = 13 wide; 10 × 90: at most 10 / (3/4) = 13 high
    expect(draws(whole, 1, { width: 90, height: 10 })[0].crop).toEqual({
      x: 38,
      y: 0,
      width: 13,
      height: 10,
    });
    expect(draws(whole, 1, { width: 10, height: 90 })[0].crop).toEqual({
      x: 0,
      y: 38,
      width: 10,
      height: 13,
    });
    expect(draws(whole, 1, { width: 1, height: 1 })[0].crop.width).toBe(1);
  });

  test("the preset none takes the largest centred square and changes nothing else", () => {
    const [made] = draws({ preset: "none" }, 1, { width: 50, height: 41 });
    expect(made).toEqual({
      crop: { x: 4, y: 0, width: 41, height: 41 },
      flip: false,
      verticalFlip: false,
      rotation: 0,
      jitter: [],
      grey: false,
      blur: null,
      solarise: null,
      cutout: null,
    });
  });
});

describe("the other transforms", () => {
  test("are applied as often as their probabilities say", () => {
    const made = draws({ ...everything, flip: 0.3, grey: 0.2 }, 4000);
    const near = (value: number, wanted: number) =>
      expect(Math.abs(value - wanted)).toBeLessThan(0.03);
    near(
      share(made, (m) => m.flip),
      0.3,
    );
    near(
      share(made, (m) => m.verticalFlip),
      0.5,
    );
    near(
      share(made, (m) => m.grey),
      0.2,
    );
    near(
      share(made, (m) => m.jitter.length === 4),
      0.8,
    );
    near(
      share(made, (m) => m.jitter.length === 0),
      0.2,
    );
    near(
      share(made, (m) => m.blur !== null),
      0.5,
    );
    near(
      share(made, (m) => m.solarise !== null),
      0.5,
    );
    near(
      share(made, (m) => m.cutout !== null),
      0.5,
    );
    near(
      share(made, (m) => m.rotation === 0),
      0.25,
    );
    near(
      share(made, (m) => m.rotation % 90 === 0),
      0.5,
    );
  });

  test("jitter draws factors around 1, hue around 0, in any order", () => {
    const jitter = draws({ jitter: { probability: 1 } }, 2400).map((made) => made.jitter);
    const amounts = (name: string) =>
      jitter.map((steps) => steps.find((s) => s.step === name)?.amount ?? NaN);
    for (const name of ["brightness", "contrast", "saturation"]) {
      expect(mean(amounts(name))).toBeCloseTo(1, 1);
      expect(Math.min(...amounts(name))).toBeGreaterThanOrEqual(0.6);
      expect(Math.max(...amounts(name))).toBeLessThan(1.4);
      expect(Math.max(...amounts(name))).toBeGreaterThan(1.38);
    }
    expect(Math.min(...amounts("hue"))).toBeLessThan(-0.098);
    expect(Math.max(...amounts("hue"))).toBeLessThan(0.1);
    const orders = new Map<string, number>();
    for (const steps of jitter) {
      const order = steps.map((s) => s.step).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24); // 100 each, standard deviation 10
    expect(Math.min(...orders.values())).toBeGreaterThan(60);
    expect(Math.max(...orders.values())).toBeLessThan(140);
  });

  test("strength multiplies the ranges, and steps of range 0 are left out", () => {
    const made = draws({ jitter: { probability: 1, strength: 0.5, contrast: 0, hue: 0 } }, 500);
    for (const { jitter } of made) {
      expect(jitter.map((s) => s.step).sort()).toEqual(["brightness", "saturation"]);
      for (const { amount } of jitter) expect(Math.abs(amount - 1)).toBeLessThanOrEqual(0.2);
    }
    const strong = draws({ jitter: { probability: 1, strength: 4 } }, 500).flatMap((m) => m.jitter);
    expect(Math.min(...strong.filter((s) => s.step !== "hue").map((s) => s.amount))).toBeLessThan(
      0.1,
    );
    expect(strong.every((s) => s.amount >= (s.step === "hue" ? -0.5 : 0))).toBe(true);
  });

  test("the blur kernel is a tenth of the view, made odd, unless given", () => {
    const radius = (options: ViewOptions) =>
      draws({ ...options, blur: { ...options.blur, probability: 1 } }, 1)[0].blur?.radius;
    expect([32, 96, 224].map((size) => radius({ size }))).toEqual([1, 4, 11]);
    expect(radius({ size: 32, blur: { kernel: 9 } })).toBe(4);
    expect(radius({ size: 8 })).toBeUndefined(); // a kernel of one pixel is no blur
  });

  test("switching one transform on leaves the draws of the others alone", () => {
    const without = draws({ ...everything, solarise: { probability: 0 } }, 50);
    const all = draws(everything, 50);
    expect(without).toEqual(all.map((made) => ({ ...made, solarise: null })));
    const centred = draws({ ...everything, crop: { kind: "centre" } }, 50);
    expect(centred).toEqual(
      all.map((m) => ({ ...m, crop: { x: 5, y: 0, width: 40, height: 40 } })),
    );
  });
});

describe("views of one image", () => {
  const place = { seed: 4, epoch: 7, image: 123 };

  test("differ from each other, between images, epochs and seeds, and repeat otherwise", () => {
    const policy = viewPolicy({ count: 3 });
    const views = drawImageViews(policy, place, source);
    expect(drawImageViews(policy, place, source)).toEqual(views);
    const others = [{ seed: 5 }, { epoch: 8 }, { image: 124 }].flatMap((change) =>
      drawImageViews(policy, { ...place, ...change }, source),
    );
    const crops = [...views, ...others].map((made) => JSON.stringify(made));
    expect(new Set(crops).size).toBe(12);
  });

  test("more views leave the first ones as they are", () => {
    const two = drawImageViews(viewPolicy({ count: 2 }), place, source);
    const five = drawImageViews(viewPolicy({ count: 5 }), place, source);
    expect(five.slice(0, 2)).toEqual(two);
  });

  test("a view may take over another's colour, applied or not, and keep the rest its own", () => {
    const policy = viewPolicy({
      ...everything,
      perView: [{}, {}, { share: { from: 0, transforms: ["colour"] } }],
    });
    const free = viewPolicy({ ...everything, count: 3 });
    for (let image = 0; image < 40; image++) {
      const views = drawImageViews(policy, { ...place, image }, source);
      const alone = drawImageViews(free, { ...place, image }, source);
      const { jitter, grey } = views[0];
      expect(views[2]).toEqual({ ...alone[2], jitter, grey });
      expect(views.slice(0, 2)).toEqual(alone.slice(0, 2));
    }
  });

  test("a view may differ from the others", () => {
    const policy = viewPolicy({
      preset: "moco",
      perView: [{ blur: { probability: 1 } }, { blur: { probability: 0.1 }, flip: 1 }],
    });
    for (let image = 0; image < 40; image++) {
      const [first, second] = drawImageViews(policy, { ...place, image }, source);
      expect(first.blur).not.toBeNull();
      expect(second.flip).toBe(true);
    }
  });
});

describe("packed parameters", () => {
  test("unpack to what was packed, whatever is beside them", () => {
    const policy = viewPolicy({ ...everything, count: 1 });
    const packed = new Float64Array(3 * PACKED_PARAMETERS).fill(99);
    for (let image = 0; image < 200; image++) {
      const [made] = drawImageViews(policy, { seed: 0, epoch: 0, image }, source);
      packParameters(made, packed, PACKED_PARAMETERS);
      expect(unpackParameters(packed, PACKED_PARAMETERS)).toEqual(made);
    }
    expect(packed[PACKED_PARAMETERS - 1]).toBe(99);
    expect(packed[2 * PACKED_PARAMETERS]).toBe(99);
  });
});
