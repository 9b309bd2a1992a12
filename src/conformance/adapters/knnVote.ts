import { z } from "zod";

import { type Features, knnClassify, nearestNeighbours } from "../../metrics/index.ts";
import { defineAdapter, integers, rows, temperature } from "../adapter.ts";
import { arrayOf } from "../nested.ts";

/** Raw rows as the measures take them: float32 on every device. */
function featuresOf(matrix: number[][], name: string): Features {
  const { data, shape } = arrayOf(matrix, "float32", name);
  return { data: data as Float32Array, count: shape[0], dimension: shape[1] };
}

/** The vote of `knnClassify`, with the neighbours of `nearestNeighbours` and what each class got. */
export const knnVote = defineAdapter({
  params: z.object({
    neighbours: z.int().positive(),
    temperature,
    classes: z.int().positive(),
  }),
  inputs: z.object({ bank: rows, labels: integers, query: rows }),
  async run({ neighbours: k, temperature: t, classes }, { bank, labels, query }) {
    const [base, asked] = [featuresOf(bank, "bank"), featuresOf(query, "query")];
    const found = nearestNeighbours(asked, base, k);
    const train = { features: base, labels: Int32Array.from(labels), classes };
    const test = { features: asked, labels: new Int32Array(query.length).fill(-1) };
    const { predictions } = knnClassify(train, test, { k, temperature: t });
    const ofQuery = (list: ArrayLike<number>, i: number) =>
      Array.from(list).slice(i * found.k, (i + 1) * found.k);
    const neighbours = query.map((_, i) => ofQuery(found.indices, i));
    const similarities = query.map((_, i) => ofQuery(found.similarities, i));
    const votes = neighbours.map((list, i) => {
      const each = new Array<number>(classes).fill(0);
      list.forEach((row, n) => (each[labels[row]] += Math.exp(similarities[i][n] / t)));
      return each;
    });
    return { neighbours, similarities, votes, predictions: Array.from(predictions) };
  },
});
