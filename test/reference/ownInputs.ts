import { randomStream, type RandomStream } from "../../src/core/random.ts";
import type { Matrix } from "./rows.ts";
import { range } from "./rows.ts";

/** One case before it is computed. */
export type Draft = {
  method: string;
  slug: string;
  params: Record<string, unknown>;
  inputs: Record<string, unknown>;
  note?: string;
  /** No gradient is expected. */
  constant?: boolean;
  /** Exact ties or edges are the point: decisions are not to be tried with changed inputs. */
  onEdge?: boolean;
  /** What the outputs must show for the case to be worth having. */
  accept?: (outputs: Record<string, unknown>) => boolean;
};

/** Makes the inputs of one case out of random numbers. */
export type Drafter = (numbers: Numbers) => Omit<Draft, "method" | "slug">;

/** Random numbers of one case, of few digits so that the file stays small. */
export type Numbers = ReturnType<typeof numbersOf>;

const short = (value: number) => Math.round(value * 1000) / 1000 + 0; // + 0: no −0

export function numbersOf(...path: (number | string)[]) {
  const stream: RandomStream = randomStream(...path);
  const row = (width: number) => range(width).map(() => short(stream.normal()));
  const rows = (count: number, width: number): Matrix => range(count).map(() => row(width));
  return {
    stream,
    row,
    rows,
    /** Rows near given ones: views of the same images. */
    near: (base: Matrix, spread: number): Matrix =>
      base.map((one) => one.map((x) => short(x + spread * stream.normal()))),
    views: (count: number, images: number, width: number, spread: number): Matrix[] => {
      const base = rows(images, width);
      return range(count).map(() =>
        base.map((one) => one.map((x) => short(x + spread * stream.normal()))),
      );
    },
    integers: (count: number, below: number) => range(count).map(() => stream.integer(below)),
    uniforms: (count: number, high = 1) => range(count).map(() => short(stream.uniform(0, high))),
  };
}

/** Rows in which some are made equal, number by number: lists of places, each like its first. */
export function alike(rows: Matrix, ...groups: number[][]): Matrix {
  const copy = rows.map((row) => [...row]);
  for (const [first, ...others] of groups)
    for (const place of others) copy[place] = [...copy[first]];
  return copy;
}
