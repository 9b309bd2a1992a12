import { alike, type Drafter } from "./ownInputs.ts";
import { range } from "./rows.ts";

type Drafters = Record<string, Drafter>;

const D = 5;

type Select = { aggregation?: string; topK?: number | null; threshold?: number | null };
const rules = ({ aggregation = "max", topK = null, threshold = null }: Select) => ({
  aggregation,
  topK,
  threshold,
});

const selecting =
  (select: Select, ties: number[][] = [], images?: number[]): Drafter =>
  ({ rows, views }) => {
    const support = views(3, 3, D, 0.6);
    const candidates = alike(rows(10, D), ...ties);
    return {
      params: rules(select),
      inputs: {
        support: range(3).map((b) => support.map((view) => view[b])),
        candidates,
        ...(images ? { candidateImages: images } : {}),
      },
    };
  };

const fncSelect: Drafters = {
  "largest-top": selecting({ topK: 3 }),
  "mean-top": selecting({ aggregation: "mean", topK: 2 }),
  "largest-threshold": selecting({ threshold: 0.4 }),
  "mean-threshold": selecting({ aggregation: "mean", threshold: 0.2 }),
  "both-rules": selecting({ topK: 4, threshold: 0.3 }),
  "no-rule": selecting({}),
  "top-none": selecting({ topK: 0 }),
  "nothing-above": selecting({ topK: 5, threshold: 0.99 }),
  "more-than-all": selecting({ topK: 20 }),
  "own-images": selecting({ topK: 3 }, [], [0, 0, 1, 1, 2, 2, -1, -1, -1, -1]),
  ties: selecting({ topK: 3 }, [
    [1, 4, 8],
    [0, 6],
  ]),
};

type Fnc = Select & { form?: string; strategy: string; temperature?: number };
const fncParams = ({ form = "batch", strategy, temperature = 0.2, ...select }: Fnc) => ({
  form,
  temperature,
  strategy,
  ...rules(select),
});

const batch =
  (params: Fnc, [V, B]: [number, number] = [3, 4], labels?: number[]): Drafter =>
  ({ views }) => ({
    params: fncParams(params),
    inputs: { views: views(V, B, D, 0.6), ...(labels ? { labels } : {}) },
  });

const memory =
  (params: Omit<Fnc, "form">): Drafter =>
  ({ views, near, rows }) => {
    const given = views(2, 3, D, 0.6);
    const keys = given.map((view) => near(view, 0.2));
    const inputs = { views: given, keys, memory: rows(6, D) };
    return { params: fncParams({ form: "memory", ...params }), inputs };
  };

const candidates =
  (params: Omit<Fnc, "form">): Drafter =>
  ({ rows, near }) => {
    const anchor = rows(3, D);
    const seen = range(2).map(() => near(anchor, 0.5));
    const support = range(3).map((b) => seen.map((view) => view[b]));
    const inputs = { anchor, positive: near(anchor, 0.7), support, candidates: rows(8, D) };
    return { params: fncParams({ form: "candidates", ...params }), inputs };
  };

const fnc: Drafters = {
  attract: batch({ strategy: "attract", topK: 3, threshold: 0.3 }, [3, 4], [0, 1, 0, 1]),
  eliminate: batch({ strategy: "eliminate", topK: 3, threshold: 0.3 }, [3, 4], [0, 0, 1, 1]),
  "attract-mean": batch({ strategy: "attract", aggregation: "mean", topK: 2 }, [2, 5]),
  "eliminate-threshold": batch({ strategy: "eliminate", threshold: 0.4 }, [2, 5]),
  "nothing-selected": batch({ strategy: "attract", topK: 3, threshold: 0.995 }, [3, 3], [0, 1, 0]),
  "two-views-top-none": batch({ strategy: "eliminate", topK: 0, temperature: 0.1 }, [2, 4]),
  "one-image": batch({ strategy: "attract", topK: 3 }, [3, 1]),
  coldest: batch({ strategy: "attract", topK: 2, temperature: 0.01 }, [2, 4]),
  "memory-attract": memory({ strategy: "attract", topK: 3, threshold: 0.2 }),
  "memory-eliminate": memory({ strategy: "eliminate", aggregation: "mean", topK: 2 }),
  "candidates-attract": candidates({ strategy: "attract", topK: 2 }),
  "candidates-eliminate": candidates({
    strategy: "eliminate",
    aggregation: "mean",
    threshold: 0.1,
  }),
};

type Propagation = Partial<{
  variant: string;
  temperature: number;
  neighbours: number;
  steps: number;
  hardPositives: number;
  hardNegatives: number;
  invarianceWeight: number;
  epsilon: number;
}>;

const propagating =
  (given: Propagation, ties: number[][] = [], spread = 0.6): Drafter =>
  ({ rows, near }) => {
    const bank = alike(rows(14, 4), ...ties);
    const indices = [3, 10];
    const embedding = near(
      indices.map((i) => bank[i]),
      spread,
    );
    return {
      params: {
        variant: "set",
        temperature: 0.2,
        neighbours: 2,
        steps: 2,
        hardPositives: 2,
        hardNegatives: 8,
        invarianceWeight: 0.6,
        bankMomentum: 0.5,
        epsilon: 1e-7,
        ...given,
      },
      inputs: { embedding, bank, indices },
    };
  };

const invariancePropagation: Drafters = {
  set: propagating({}),
  "set-three-steps": propagating({ steps: 3, hardPositives: 3 }),
  "set-cold": propagating({ temperature: 0.07, neighbours: 3 }),
  "set-all-positives": propagating({ steps: 1, hardPositives: 20 }),
  "set-no-negatives": propagating(
    { neighbours: 9, steps: 1, hardPositives: 9, hardNegatives: 2 },
    [],
    0.1,
  ),
  "set-warm-up": propagating({ invarianceWeight: 0 }),
  "set-all-nearest": propagating({ hardNegatives: 14 }),
  "set-ties": propagating({ neighbours: 3 }, [
    [0, 4, 12],
    [2, 9],
  ]),
  multiset: propagating({ variant: "multiset" }, [], 0.3),
  "multiset-three-steps": propagating(
    { variant: "multiset", steps: 3, hardPositives: 4, epsilon: 0.01 },
    [],
    0.3,
  ),
};

/** Cases of samplers that find false negatives and neighbours. */
export const selectionDrafts: Record<string, Drafters> = { fncSelect, fnc, invariancePropagation };
