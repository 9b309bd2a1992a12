import { describe, expect, test } from "vitest";

import { ConfigError } from "../core/errors.ts";
import { drawImageViews } from "./imageViews.ts";
import { loocViews } from "./looc.ts";
import { type ViewOptions, viewPolicy } from "./viewOptions.ts";

const source = { width: 48, height: 40 };
const options: ViewOptions = {
  preset: "photo",
  size: 24,
  blur: { probability: 0.5, kernel: 5 },
  solarise: { probability: 0.3 },
};
const place = (image: number) => ({ seed: 5, epoch: 2, image });
const draw = (augmentations: string[], image: number) => {
  const policy = viewPolicy({ ...options, perView: loocViews(augmentations) });
  return drawImageViews(policy, place(image), source);
};

describe("views of LooC", () => {
  test("are a query, a key of its own, and a key for each augmentation", () => {
    expect(loocViews(["colour", "blur"])).toEqual([
      {},
      {},
      { share: { from: 0, transforms: ["colour"] } },
      { share: { from: 0, transforms: ["blur"] } },
    ]);
    expect(draw(["colour", "blur"], 0)).toHaveLength(4);
    expect(draw([], 0)).toHaveLength(2);
  });

  test("key i has the query's parameters of augmentation i, applied or not, and no other", () => {
    const free = viewPolicy({ ...options, rotation: { rightAngles: 1 }, count: 5 });
    let [same, other, unapplied] = [0, 0, 0];
    for (let image = 0; image < 200; image++) {
      const views = draw(["rotation", "colour", "blur"], image);
      const alone = drawImageViews(free, place(image), source);
      const [query, plain, turned, coloured, blurred] = views;
      const { rotation, jitter, grey, blur } = query;
      expect([query, plain]).toEqual(alone.slice(0, 2));
      expect(turned).toEqual({ ...alone[2], rotation });
      expect(coloured).toEqual({ ...alone[3], jitter, grey });
      expect(blurred).toEqual({ ...alone[4], blur });
      if (blur === null) unapplied++;
      if (plain.rotation === rotation) same++;
      if (turned.blur === null && blur !== null) other++;
    }
    expect(unapplied).toBeGreaterThan(60); // "not applied" is shared too
    expect(other).toBeGreaterThan(20);
    expect(same / 200).toBeGreaterThan(0.23); // a third, by chance
    expect(same / 200).toBeLessThan(0.43);
  });

  test("are all turned by a right angle where rotation is one of the augmentations", () => {
    const angles = new Set<number>();
    for (let image = 0; image < 60; image++) {
      draw(["rotation"], image).forEach((view) => angles.add(view.rotation));
    }
    expect([...angles].sort()).toEqual([180, 270, 90]);
    expect(draw(["colour"], 0).every((view) => view.rotation === 0)).toBe(true);
  });

  test("of an unknown or a repeated augmentation are refused", () => {
    expect(() => loocViews(["color"])).toThrow(
      'loocViews: "color" is none of crop, flip, rotation, colour, blur, solarise, cutout, did you mean colour?',
    );
    expect(() => loocViews(["blur", "blur"])).toThrow(ConfigError);
  });
});
