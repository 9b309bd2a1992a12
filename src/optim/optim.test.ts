import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import type { HostRecord, HostTree } from "../core/arrays.ts";
import { scalar } from "../core/arrays.ts";
import { adamw } from "./adamw.ts";
import { lars } from "./lars.ts";
import type { Optimiser, Update } from "./optimiser.ts";
import { averageRecords } from "./optimiser.ts";
import { constant, warmupCosine } from "./schedules.ts";
import { sgd } from "./sgd.ts";

const specs = { w: { shape: [3], decay: true }, b: { shape: [1], decay: false } };
const start = { w: [1, -2, 0.5], b: [0.3] };
// the gradients of three steps
const slopes = [0, 1, 2].map((t) => ({ w: [0.1 + t, -0.4, 0.2 * t], b: [1 - t] }));

async function follow(optimiser: Optimiser, rate = 0.1): Promise<{ w: number[]; b: number[] }> {
  let [parameters, state]: HostTree[] = [
    { w: float32([3], start.w), b: float32([1], start.b) },
    optimiser.init(),
  ];
  for (const { w, b } of slopes) {
    const gradient = { w: float32([3], w), b: float32([1], b) };
    const result = (await evaluate((update: Update) => optimiser.update(update), {
      parameters,
      gradient,
      state,
      learningRate: scalar(rate),
    })) as { parameters: HostTree; state: HostTree };
    ({ parameters, state } = result);
  }
  const { w, b } = parameters as HostRecord;
  return { w: numbers(w), b: numbers(b) };
}

function expectNear(got: { w: number[]; b: number[] }, want: { w: number[]; b: number[] }) {
  [...got.w, ...got.b].forEach((value, i) =>
    expect(value).toBeCloseTo([...want.w, ...want.b][i], 5),
  );
}

type Rule = (p: number[], g: number[], memory: Map<string, number[]>, decayed: boolean) => number[];

/** Runs a rule written for one vector of plain numbers. */
function byHand(rule: Rule) {
  const run = (name: "w" | "b") => {
    const memory = new Map<string, number[]>();
    return slopes.reduce(
      (p, slope) => rule(p, slope[name], memory, specs[name].decay),
      start[name],
    );
  };
  return { w: run("w"), b: run("b") };
}

const slot = (memory: Map<string, number[]>, name: string, like: number[]) =>
  memory.get(name) ?? like.map(() => 0);

describe("sgd", () => {
  const rule =
    (momentum: number, nesterov: boolean, decay: number, all: boolean): Rule =>
    (p, g, memory, decayed) => {
      const slope = g.map((x, i) => x + (decayed || all ? decay * p[i] : 0));
      const v = slot(memory, "v", p).map((x, i) => momentum * x + slope[i]);
      memory.set("v", v);
      return p.map((x, i) => x - 0.1 * (nesterov ? slope[i] + momentum * v[i] : v[i]));
    };

  test.each([
    { momentum: 0, nesterov: false, weightDecay: 0, decayAll: false },
    { momentum: 0.9, nesterov: false, weightDecay: 0.05, decayAll: false },
    { momentum: 0.9, nesterov: true, weightDecay: 0.05, decayAll: true },
  ])("follows PyTorch's rule with %o", async (options) => {
    const want = rule(options.momentum, options.nesterov, options.weightDecay, options.decayAll);
    expectNear(await follow(sgd(specs, options)), byHand(want));
  });
});

describe("lars", () => {
  test("scales the step of matrices by trust · ‖p‖ / ‖g‖ and leaves biases alone", async () => {
    const norm = (x: number[]) => Math.hypot(...x);
    const want = byHand((p, g, memory, decayed) => {
      const slope = g.map((x, i) => x + (decayed ? 0.01 * p[i] : 0));
      const ratio = decayed ? (0.02 * norm(p)) / norm(slope) : 1;
      const v = slot(memory, "v", p).map((x, i) => 0.9 * x + ratio * slope[i]);
      memory.set("v", v);
      return p.map((x, i) => x - 0.1 * v[i]);
    });
    expectNear(await follow(lars(specs, { trust: 0.02, weightDecay: 0.01 })), want);
  });

  test("a matrix of zeros moves by its plain gradient", async () => {
    const optimiser = lars({ w: { shape: [2], decay: true } });
    const result = (await evaluate((update: Update) => optimiser.update(update), {
      parameters: { w: float32([2], [0, 0]) },
      gradient: { w: float32([2], [1, -2]) },
      state: optimiser.init(),
      learningRate: scalar(0.5),
    })) as { parameters: HostRecord };
    expect(numbers(result.parameters.w)).toEqual([-0.5, 1]);
  });
});

describe("adamw", () => {
  test("corrects both means for their start and decays apart from the gradient", async () => {
    let t = 0;
    const want = byHand((p, g, memory, decayed) => {
      t = (memory.get("t")?.[0] ?? 0) + 1;
      memory.set("t", [t]);
      const a = slot(memory, "a", p).map((x, i) => 0.9 * x + 0.1 * g[i]);
      const b = slot(memory, "b", p).map((x, i) => 0.99 * x + 0.01 * g[i] ** 2);
      memory.set("a", a).set("b", b);
      return p.map((x, i) => {
        const direction = a[i] / (1 - 0.9 ** t) / (Math.sqrt(b[i] / (1 - 0.99 ** t)) + 1e-8);
        return x * (decayed ? 1 - 0.1 * 0.3 : 1) - 0.1 * direction;
      });
    });
    expectNear(await follow(adamw(specs, { beta2: 0.99, weightDecay: 0.3 })), want);
  });
});

describe("a body at rates of its own", () => {
  const bodySpecs = {
    w: { shape: [3], decay: true, share: 0.05 },
    b: { shape: [1], decay: false },
  };

  /** Three steps of which the body takes no part in the first. */
  async function followed(optimiser: Optimiser) {
    const seen: HostRecord[] = [];
    let [parameters, state]: HostTree[] = [
      { w: float32([3], start.w), b: float32([1], start.b) },
      optimiser.init(),
    ];
    for (const [t, { w, b }] of slopes.entries()) {
      const gradient = { w: float32([3], w), b: float32([1], b) };
      const rates = { learningRate: scalar(0.1), bodyRate: scalar(t === 0 ? 0 : 0.1) };
      const result = (await evaluate((update: Update) => optimiser.update(update), {
        parameters,
        gradient,
        state,
        ...rates,
      })) as { parameters: HostTree; state: HostTree };
      ({ parameters, state } = result);
      seen.push(parameters as HostRecord);
    }
    return { seen, state: state as unknown as Record<string, HostRecord> };
  }

  test.each([false, true])(
    "stands still until it begins, then follows its rule: nesterov %s",
    async (nesterov) => {
      const { seen } = await followed(
        sgd(bodySpecs, { momentum: 0.9, nesterov, weightDecay: 0.05 }),
      );
      expect([...seen[0].w.data]).toEqual(start.w.map(Math.fround)); // bit for bit
      let [p, v] = [start.w, [0, 0, 0]];
      for (const { w } of slopes.slice(1)) {
        const slope = w.map((x, i) => x + 0.05 * p[i]);
        v = v.map((x, i) => 0.9 * x + slope[i]);
        p = p.map((x, i) => x - 0.1 * 0.05 * (nesterov ? slope[i] + 0.9 * v[i] : v[i]));
      }
      [...seen[2].w.data].forEach((value, i) => expect(value).toBeCloseTo(p[i], 6));
      expect(seen[0].b.data[0]).not.toBeCloseTo(start.b[0], 3);
    },
  );

  test("adamw counts the body's updates from where it begins", async () => {
    const { seen, state } = await followed(adamw(bodySpecs, { beta2: 0.99, weightDecay: 0.3 }));
    expect([...seen[0].w.data]).toEqual(start.w.map(Math.fround));
    let [p, a, b] = [start.w, [0, 0, 0], [0, 0, 0]];
    slopes.slice(1).forEach(({ w }, i) => {
      const t = i + 1;
      a = a.map((x, j) => 0.9 * x + 0.1 * w[j]);
      b = b.map((x, j) => 0.99 * x + 0.01 * w[j] ** 2);
      const rate = 0.1 * 0.05;
      p = p.map((x, j) => {
        const direction = a[j] / (1 - 0.9 ** t) / (Math.sqrt(b[j] / (1 - 0.99 ** t)) + 1e-8);
        return x * (1 - rate * 0.3) - rate * direction;
      });
    });
    [...seen[2].w.data].forEach((value, i) => expect(value).toBeCloseTo(p[i], 6));
    expect([state.counter.updates.data[0], state.counter.bodyUpdates.data[0]]).toEqual([3, 2]);
  });
});

describe("schedules", () => {
  test("warmupCosine rises linearly to the peak and ends at its final share", () => {
    const rate = warmupCosine({ peak: 2, steps: 110, warmupSteps: 10, final: 0.1 });
    expect([0, 4, 9].map(rate)).toEqual([0.2, 1, 2]);
    expect(rate(10)).toBeCloseTo(2, 12);
    expect(rate(60)).toBeCloseTo(1.1, 12); // half way: the mean of 2 and 0.2
    expect(rate(110)).toBeCloseTo(0.2, 12);
    expect(rate(500)).toBeCloseTo(0.2, 12);
  });

  test("constant stays at the peak after its warm-up", () => {
    const rate = constant({ peak: 3, steps: 10, warmupSteps: 2 });
    expect([0, 1, 2, 900].map(rate)).toEqual([1.5, 3, 3, 3]);
  });

  test("a warm-up longer than the run is a mistake", () => {
    expect(() => warmupCosine({ peak: 1, steps: 10, warmupSteps: 11 })).toThrow(
      "schedule: 11 warm-up steps do not fit into 10 steps",
    );
  });
});

test("averageRecords moves by 1 − decay", async () => {
  const mean = (await evaluate(
    (a: Record<string, np.Array>, b: Record<string, np.Array>) => averageRecords(a, b, 0.99),
    { x: float32([1], [1]) },
    { x: float32([1], [3]) },
  )) as HostRecord;
  expect(numbers(mean.x)[0]).toBeCloseTo(1.02, 6);
});
