import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import type { PixelImage } from "../core/pixels.ts";
import { encoders, type Variables } from "../encoders/index.ts";
import { boxFromActivation, identityParameters, renderView } from "../views/index.ts";
import { openActivations } from "./activationMaps.ts";

const format = {
  imageSize: 8,
  mean: [0.5, 0.5, 0.5] as [number, number, number],
  std: [0.5, 0.5, 0.5] as [number, number, number],
};

/** Part of a grey image, white. */
function spotted(width: number, height: number, inside: (x: number, y: number) => boolean) {
  const data = new Uint8Array(width * height * 3).fill(128);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    if (inside(pixel % width, Math.floor(pixel / width))) data[i] = 255;
  }
  return { width, height, channels: 3 as const, data };
}
const pictures: PixelImage[] = [
  spotted(48, 16, (x) => x > 38), // at the right edge, which a centred square leaves out
  spotted(16, 48, (_x, y) => y < 9),
  spotted(16, 16, (x, y) => x < 5 && y > 10),
];
const images = { count: pictures.length, image: (index: number) => pictures[index] };

describe("activation maps", () => {
  const network = encoders.convnet({ width: 8, depth: 2, normalisation: "none" }, format);
  const variables = network.init(1);

  test("are those of the whole images, whatever the batch", async () => {
    const activations = await openActivations(network, variables, format, { batchSize: 2 });
    const { data, side } = await activations.maps(variables, images);
    await activations.dispose();
    expect(side).toBe(4);
    for (const [i, image] of pictures.entries()) {
      const view = renderView(image, identityParameters(image), { ...format, size: 8 });
      const maps = (v: Variables, x: never) => network.maps!(v, x);
      const want = numbers(await evaluate(maps, variables, float32([1, 3, 8, 8], [...view])));
      const got = data.slice(i * 16, (i + 1) * 16);
      want.forEach((value, place) => expect(got[place]).toBeCloseTo(value, 4));
    }
  });

  test("boxes in shares of a map lie where the object is in the image", async () => {
    const brightness = (_v: Variables, x: np.Array) =>
      x.mean(1).reshape([-1, 4, 2, 4, 2]).mean([2, 4]);
    const seeing = { ...network, maps: brightness };
    const activations = await openActivations(seeing, variables, format, { device: "reference" });
    const { data, side } = await activations.maps(variables, images);
    await activations.dispose();
    const [right, top, corner] = pictures.map((_image, i) => {
      const values = data.slice(i * side * side, (i + 1) * side * side);
      const grid = { threshold: 0.5, height: 8, width: 8 };
      return boxFromActivation({ values, height: side, width: side }, grid).box;
    });
    expect(right.left).toBeGreaterThan(0.5);
    expect(top.bottom).toBeLessThan(0.5);
    expect(corner.right).toBeLessThan(0.5);
    expect(corner.top).toBeGreaterThanOrEqual(0.5);
  });

  test("of a transformer do not exist, which is said", async () => {
    const vit = encoders.vit({ dimension: 4, heads: 2, depth: 1 }, format);
    await expect(openActivations(vit, vit.init(0), format)).rejects.toThrow(
      "encoder vit has no feature maps, expected one of convolutions",
    );
  });
});
