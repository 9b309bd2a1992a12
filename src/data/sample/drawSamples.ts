import type { PixelImage } from "../../core/pixels.ts";
import { imagesOnSheet, renderCoverage } from "./coverage.ts";
import type { Coverage } from "./coverage.ts";
import { drawFactors } from "./factors.ts";
import type { SampleFactors, SampleSplit } from "./factors.ts";
import { paintImage } from "./paint.ts";
import type { SampleOptions } from "./sampleOptions.ts";
import { drawScene, sceneElements } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** One image of a sample set before it becomes a file. */
export type Sample = { factors: SampleFactors; scene: Scene; image: PixelImage };

type Sheet = {
  drawn: { factors: SampleFactors; scene: Scene; slot: number }[];
  coverage: Promise<(Coverage | undefined)[]>;
};

function startSheet(options: SampleOptions, split: SampleSplit, indices: readonly number[]): Sheet {
  const capacity = imagesOnSheet(options.size);
  const tiles = new Array<string | undefined>(capacity).fill(undefined);
  const drawn = indices.map((index) => {
    const factors = drawFactors(options, split, index);
    const scene = drawScene(options, factors);
    const slot = index % capacity;
    tiles[slot] = sceneElements(options, factors, scene);
    return { factors, scene, slot };
  });
  const coverage = renderCoverage(tiles, options.size);
  coverage.catch(() => undefined); // reported where it is awaited
  return { drawn, coverage };
}

function bySheet(indices: readonly number[], side: number): number[][] {
  const capacity = imagesOnSheet(side);
  const sheets = new Map<number, number[]>();
  for (const index of indices) {
    const sheet = Math.floor(index / capacity);
    const members = sheets.get(sheet);
    if (members === undefined) sheets.set(sheet, [index]);
    else members.push(index);
  }
  return [...sheets.values()];
}

/**
 * Draws images of a split in memory, a sheet of up to 64 at a time; the next sheet is rendered while
 * the caller works on one. `indices` in ascending order.
 */
export async function* drawSamples(
  options: SampleOptions,
  split: SampleSplit,
  indices: readonly number[],
): AsyncGenerator<Sample[]> {
  const groups = bySheet(indices, options.size);
  let next = groups.length > 0 ? startSheet(options, split, groups[0]) : undefined;
  for (let i = 0; next !== undefined; i++) {
    const { drawn, coverage } = next;
    const tiles = await coverage;
    next = i + 1 < groups.length ? startSheet(options, split, groups[i + 1]) : undefined;
    yield drawn.flatMap(({ factors, scene, slot }) => {
      const tile = tiles[slot];
      if (tile === undefined) return [];
      return [{ factors, scene, image: paintImage(options, factors, scene, tile) }];
    });
  }
}
