import fc from "fast-check";
import { expect, test } from "vitest";

import { renderCoverage } from "./coverage.ts";
import { drawSamples } from "./drawSamples.ts";
import type { Sample } from "./drawSamples.ts";
import { drawFactors, factorClasses } from "./factors.ts";
import type { SampleSplit } from "./factors.ts";
import { factorNames } from "./factorNames.ts";
import { shapeNames } from "./outlines.ts";
import { SampleOptions } from "./sampleOptions.ts";
import { drawScene, sceneElements } from "./scene.ts";

const optionsOf = (given: object = {}) => SampleOptions.parse(given);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

async function samplesOf(options: SampleOptions, indices: number[], split: SampleSplit = "train") {
  const samples: Sample[] = [];
  for await (const sheet of drawSamples(options, split, indices)) samples.push(...sheet);
  return samples;
}

/** The smallest rectangle around the pixels that an object alone covers visibly. */
async function coveredBox(options: SampleOptions, index: number): Promise<number[]> {
  const factors = { ...drawFactors(options, "train", index), clutter: 0 };
  const elements = sceneElements(options, factors, drawScene(options, factors));
  const [coverage] = await renderCoverage([elements], options.size);
  const [xs, ys]: number[][] = [[], []];
  coverage?.forEach((value, at) => {
    if (value === 0) return;
    const pixel = Math.floor(at / 3);
    xs.push(pixel % options.size);
    ys.push(Math.floor(pixel / options.size));
  });
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) + 1 - left, Math.max(...ys) + 1 - top];
}

test("the box is the pixels the object covers, for every shape, turned any way", async () => {
  for (const given of [
    { size: 64 },
    { size: 33, outline: 0, deformation: 1 },
    { size: 128, sizeRange: [0.1, 1] },
  ]) {
    const options = optionsOf({ ...given, shapes: shapeNames, rotationRange: [-180, 180] });
    for (const index of upTo(shapeNames.length)) {
      const { box } = drawScene(options, drawFactors(options, "train", index));
      const covered = await coveredBox(options, index);
      const edges = ([x, y, w, h]: number[]) => [x, y, x + w, y + h];
      const [left, top, right, bottom] = edges(box);
      const [l, t, r, b] = edges(covered);
      expect(l >= left && t >= top && r <= right && b <= bottom).toBe(true);
      // A pixel touched by less than a 500th of its area may round to nothing covered.
      for (const slack of [l - left, t - top, right - r, bottom - b]) {
        expect(slack).toBeLessThanOrEqual(1);
      }
    }
  }
});

test("boxes lie in the image and are as large as the size says", () => {
  const size = fc.integer({ min: 16, max: 512 });
  fc.assert(
    fc.property(size, fc.nat(1000), fc.nat(5), (side, index, seed) => {
      const options = optionsOf({ size: side, seed, sizeRange: [0.2, 1], shapes: shapeNames });
      const factors = drawFactors(options, "train", index);
      const [x, y, width, height] = drawScene(options, factors).box;
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(side);
      const exact = factors.size * side;
      expect(Math.max(width, height)).toBeGreaterThanOrEqual(exact - 0.1);
      expect(Math.max(width, height)).toBeLessThan(exact + 2);
    }),
    { numRuns: 60 },
  );
});

test("an image depends on the options and its number, not on what is drawn with it", async () => {
  const options = optionsOf({ size: 32 });
  const together = await samplesOf(options, upTo(130));
  for (const index of [0, 63, 64, 129]) {
    const [alone] = await samplesOf(options, [index]);
    expect(alone).toEqual(together[index]);
  }
  const [other] = await samplesOf(options, [0], "test");
  expect(other.image).not.toEqual(together[0].image);
});

test("the label changes no pixel", async () => {
  const [byShape] = await samplesOf(optionsOf({ size: 32 }), [7]);
  const [byColour] = await samplesOf(optionsOf({ size: 32, label: "colour" }), [7]);
  expect(byColour).toEqual(byShape);
});

test("every factor is balanced and no factor tells of another", () => {
  const options = optionsOf();
  const classes = factorClasses(options);
  const drawn = upTo(3600).map((index) => drawFactors(options, "train", index).classes);
  const counted = (names: string[]) => {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  };
  for (const factor of factorNames) {
    const counts = counted(drawn.map((row) => row[factor]));
    expect([...counts.keys()].sort()).toEqual([...classes[factor]].sort());
    expect(new Set(counts.values()), factor).toEqual(new Set([3600 / classes[factor].length]));
  }
  const pairs = factorNames.flatMap((a, i) => factorNames.slice(i + 1).map((b) => [a, b] as const));
  for (const [a, b] of pairs) {
    const cells = classes[a].length * classes[b].length;
    const counts = [...counted(drawn.map((row) => `${row[a]} ${row[b]}`)).values()];
    const expected = drawn.length / cells;
    const chiSquare =
      counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) +
      (cells - counts.length) * expected;
    expect(chiSquare, `${a} and ${b}`).toBeLessThan(cells + 5 * Math.sqrt(2 * cells));
  }
});

test("continuous factors stay in their ranges and in the class that names them", () => {
  const options = optionsOf({ rotationRange: [10, 70], sizeRange: [0.3, 0.6] });
  for (const index of upTo(200)) {
    const { rotation, size, classes, room } = drawFactors(options, "train", index);
    const [, from, to] = /^deg(-?[\d.]+)to(-?[\d.]+)$/.exec(classes.rotation) ?? [];
    expect(rotation >= Number(from) && rotation <= Number(to)).toBe(true);
    expect(classes.size).toBe(size < 0.4 ? "small" : size < 0.5 ? "medium" : "large");
    expect(classes.position.includes("left")).toBe(room[0] < 1 / 3);
    expect(classes.position.includes("bottom")).toBe(room[1] >= 2 / 3);
  }
});

test("each knob changes the pixels and greys have no colour", async () => {
  const plain = optionsOf({ size: 32 });
  const bytes = async (options: SampleOptions) =>
    (await samplesOf(options, upTo(12))).map(({ image }) =>
      Buffer.from(image.data).toString("base64"),
    );
  const before = await bytes(plain);
  const changes = {
    deformation: 1,
    outline: 0.08,
    textureStrength: 1,
    colourfulness: 1,
    colourJitter: 1,
    clutter: 1,
    lighting: 1,
    grain: 1,
    sizeRange: [0.3, 0.4],
    rotationRange: [90, 120],
  };
  for (const [name, value] of Object.entries(changes)) {
    expect(await bytes(optionsOf({ size: 32, [name]: value })), name).not.toEqual(before);
  }
  const [grey] = await samplesOf(optionsOf({ size: 32, colourfulness: 0 }), [3]);
  const { data } = grey.image;
  for (let at = 0; at < data.length; at += 3) {
    expect(
      Math.max(...data.subarray(at, at + 3)) - Math.min(...data.subarray(at, at + 3)),
    ).toBeLessThan(3);
  }
});

test("images come out at the smallest and the largest size, without and with everything", async () => {
  for (const size of [16, 512]) {
    for (const amount of [0, 1]) {
      const options = optionsOf({
        size,
        clutter: amount,
        textureStrength: amount,
        lighting: amount,
        grain: amount,
        deformation: amount,
        outline: amount / 10,
      });
      const [{ image }] = await samplesOf(options, [5]);
      expect(image).toMatchObject({ width: size, height: size, channels: 3 });
      expect(image.data.length).toBe(size * size * 3);
      expect(new Set(image.data).size).toBeGreaterThan(5);
    }
  }
});
