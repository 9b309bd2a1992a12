import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { renderMarkdown } from "./markdown.ts";
import { runFigures, speedOf } from "./runFigures.ts";
import { summarise, type SummaryFacts } from "./summarise.ts";
import { tablesOf } from "./tables.ts";
import { factsFor, resultFor } from "./testing.ts";

const seeds = [0, 1, 2, 3];

describe("a comparison", () => {
  test("calls what its intervals show, in table, conclusion and Markdown", () => {
    const noise = [0, 0.004, -0.003, 0.002];
    const results = seeds.flatMap((seed) => [
      resultFor("plain", seed, 0.4 + 10 * noise[seed]),
      resultFor("good", seed, 0.45 + 10 * noise[seed] + noise[3 - seed]),
      resultFor("bad", seed, 0.3 + 10 * noise[seed] + noise[3 - seed]),
      resultFor("same", seed, 0.4 + 10 * noise[3 - seed]),
    ]);
    const all = summarise(factsFor(["plain", "good", "bad", "same"], seeds), results);
    expect(all.arms.map(({ verdict }) => verdict)).toEqual(["base", "better", "worse", "none"]);
    expect(all.comparisons).toBe(3);
    const said = all.conclusion.join(" ");
    expect(said).toContain("good is better than plain by 5.1 points");
    expect(said).toContain("bad is worse than plain by 9.9 points");
    expect(said).toContain("For same no difference to plain in k-NN accuracy is shown.");
    expect(renderMarkdown(all)).toContain(said);
    const [accuracy] = tablesOf(all);
    expect(accuracy.rows.map((cells) => cells.at(-1))).toEqual([
      ...["base", "better", "worse", "no difference shown", ""], // chance, below the arms
    ]);
  });

  test("that no arm of which beats raw pixels says so first, and of two seeds tells both", () => {
    const baselines = { untrained: { knn: 0.2, linear: 0.2 }, pixels: { knn: 0.5, linear: 0.4 } };
    const of = (more: object) =>
      summarise(
        factsFor(["plain", "ours"], [0, 1]),
        [0, 1].flatMap((seed) => [
          resultFor("plain", seed, 0.31 + 0.066 * seed, more),
          resultFor("ours", seed, 0.4, more),
        ]),
      );
    const all = of({ baselines });
    expect(all.allBelowPixels).toBe(true);
    expect(all.conclusion[0]).toBe(
      "Raw pixels do better than every arm: k-NN 50.0 %, the best arm 40.0 %. What differs between the arms says little before one of them is ahead.",
    );
    expect(all.conclusion[1]).toBe(
      "Two seeds say little: plain 31.0 and 37.6 %; ours 40.0 and 40.0 %.",
    );
    const [accuracy] = tablesOf(all);
    expect(accuracy.rows.map(([name, , knn]) => [name, knn])).toEqual([
      ...[
        ["plain", "31.0 and 37.6"],
        ["ours", "40.0 and 40.0"],
      ],
      ...[
        ["raw pixels", "50.0"],
        ["untrained encoder", "20.0"],
        ["chance", "25.0"],
      ],
    ]);
    expect(of({}).allBelowPixels).toBeNull();
  });

  test("says first which arms are ahead of the start, by balanced k-NN", () => {
    const baseline = { knn: 0.8, linear: 0.8, knnBalanced: 0.3, linearBalanced: 0.3 };
    const baselines = { start: baseline, pixels: { knn: 0.2, linear: 0.2 } };
    const of = (b: number, more: Partial<SummaryFacts> = {}, results = seeds) => {
      const facts = { ...factsFor(["a", "b"], seeds), ...more };
      const made = results.flatMap((seed) => [
        resultFor("a", seed, 0.7, { baselines, knnBalanced: 0.3 + 0.01 * (seed % 2) }),
        resultFor("b", seed, 0.7, { baselines, knnBalanced: b + 0.01 * (seed % 2) }),
      ]);
      return summarise(facts, made);
    };
    const ahead = of(0.4);
    expect(ahead.arms.map(({ besideStart }) => besideStart?.verdict)).toEqual(["none", "better"]);
    expect(ahead.conclusion[0]).toMatch(
      /^By balanced k-NN better than the start, not adapted, is b by 10.5 points \(9\../,
    );
    expect(renderMarkdown(ahead)).toContain("| start, not adapted |");
    const table = tablesOf(ahead)[0];
    expect(table.head.at(-1)).toBe("beside the start");
    for (const row of table.rows) expect(row).toHaveLength(table.head.length);
    const behind = of(0.2);
    expect(behind.conclusion[0]).toBe(
      "No arm is shown to be better than the start, not adapted: balanced k-NN 30.0 %, the best arm, a, 30.5 %.",
    );
    expect(behind.conclusion[1]).toContain("worse than the start, not adapted, is b by 9.5 points");
    expect(of(0.2, { seeds: [0, 1] }, [0, 1]).conclusion[0]).toContain("takes 3 seeds to tell");
    expect(of(0.4, {}, [0, 1]).conclusion.join(" ")).not.toContain("the start"); // seeds are to come
    const [a, b] = factsFor(["a", "b"], seeds).arms;
    const labelled = of(0.4, { arms: [a, { ...b, usesLabels: true }] });
    expect(labelled.arms[1].besideStart).toBeNull();
  });

  test("of uneven classes is about balanced k-NN", () => {
    const of = (chance: number) =>
      summarise(
        factsFor(["a", "b"], seeds), // four classes
        seeds.flatMap((seed) => [
          resultFor("a", seed, 0.9, { chance, knnBalanced: 0.3 + 0.01 * (seed % 2) }),
          resultFor("b", seed, 0.9 - 0.01 * (seed % 2), { chance, knnBalanced: 0.4 }),
        ]),
      );
    const [even, uneven] = [of(0.39), of(0.41)]; // twice the mean of the others is 0.4
    expect([even.judged, even.arms[1].verdict]).toEqual(["knn", "none"]);
    expect([uneven.judged, uneven.arms[1].verdict]).toEqual(["knnBalanced", "better"]);
    expect(uneven.conclusion.join(" ")).toContain("By balanced k-NN accuracy b is better than a");
    const [table] = tablesOf(uneven);
    for (const row of table.rows) expect(row).toHaveLength(table.head.length);
    expect(table.intro).toContain("about balanced k-NN");
  });

  test("never names a winner that the intervals do not support", () => {
    const accuracy = fc.double({ min: 0, max: 1, noNaN: true });
    const runs = fc.array(
      fc.record({ arm: fc.constantFrom("a", "b", "c"), seed: fc.nat(3), knn: accuracy }),
      { minLength: 8, maxLength: 24 },
    );
    fc.assert(
      fc.property(runs, (drawn) => {
        const unique = new Map(drawn.map((run) => [`${run.arm}${run.seed}`, run]));
        const results = [...unique.values()].map(({ arm, seed, knn }) => resultFor(arm, seed, knn));
        const all = summarise(factsFor(["a", "b", "c"], seeds), results);
        const text = renderMarkdown(all) + all.conclusion.join(" ");
        for (const { name, measures, verdict } of all.arms.slice(1)) {
          const difference = measures.knn?.difference ?? undefined;
          const [mean, half, n] = [
            difference?.mean ?? 0,
            difference?.half ?? 1,
            difference?.n ?? 0,
          ];
          const shown = n === seeds.length && Math.abs(mean) > half;
          expect(verdict === "better" || verdict === "worse").toBe(shown);
          expect(new RegExp(`${name} is (better|worse)`).test(text)).toBe(shown);
        }
      }),
    );
  });

  test("pairs common seeds only, and corrects for all arms however few are done", () => {
    const results = [0, 1, 2].map((seed) => resultFor("a", seed, 0.4));
    const other = [1, 2, 3].map((seed) => resultFor("b", seed, 0.5 + 0.01 * seed));
    const part = summarise(factsFor(["a", "b"], seeds), [...results, ...other]);
    expect(part.arms[1].measures.knn!.difference!.n).toBe(2);
    expect(part.arms[1].verdict).toBe("early");
    expect(part.conclusion[0]).toBe("6 of 8 runs are done.");
    expect(part.conclusion[1]).toBe(
      "No verdict is given before all seeds are done; so far beside a: b +11.5 points of 2 seeds.",
    );
    const more = summarise(factsFor(["a", "b", "c", "d"], seeds), [...results, ...other]);
    const half = (all: typeof part) => all.arms[1].measures.knn!.difference!.half!;
    expect(half(more)).toBeGreaterThan(half(part));
  });

  test("gives no verdict before all seeds are done or have failed", () => {
    const run = (name: string, seed: number) => resultFor(name, seed, name === "a" ? 0.2 : 0.6);
    const done = [0, 1, 2].flatMap((seed) => [run("a", seed), run("b", seed)]);
    const facts = factsFor(["a", "b"], seeds);
    expect(summarise(facts, done).arms[1].verdict).toBe("early");
    const failed = ["a", "b"].map((arm) => ({ arm, seed: 3, error: "no memory" }));
    expect(summarise({ ...facts, failed }, done).arms[1].verdict).toBe("better");
    expect(summarise(facts, [...done, run("a", 3), run("b", 3)]).arms[1].verdict).toBe("better");
  });

  test("takes arms that train with labels as controls unless they are asked for other images", () => {
    const facts = factsFor(["a", "b"], seeds);
    const [a, b] = facts.arms;
    const results = seeds.flatMap((seed) => [
      resultFor("a", seed, 0.3 + 0.01 * seed),
      resultFor("b", seed, 0.5 + 0.01 * seed),
    ]);
    const verdict = (one: Partial<typeof facts>) =>
      summarise({ ...facts, ...one }, results).arms[1];
    const trained = { arms: [a, { ...b, usesLabels: true }] };
    expect(verdict({}).verdict).toBe("better");
    expect(verdict(trained).verdict).toBe("control");
    expect(verdict({ arms: [{ ...a, usesLabels: true }, b] }).verdict).toBe("control");
    expect(verdict({ ...trained, data: { ...facts.data, test: "labelled" } }).verdict).toBe(
      "better",
    );
    expect(summarise({ ...facts, ...trained }, results).conclusion).toEqual([
      "b gets no verdict: labels of the images asked for were trained with; --test gives images that no arm has seen.",
    ]);
  });

  test("has figures of sampling that all arms have beside each other, those of some one a row", () => {
    const shared = Object.fromEntries(["c", "d", "e", "f", "g", "h"].map((name) => [name, 1]));
    const results = seeds.flatMap((seed) => [
      resultFor("a", seed, 0.4, { sampling: { hardness: 0.2, ...shared } }),
      resultFor("b", seed, 0.4, { sampling: { hardness: 0.2, ...shared, i: 2, auroc: 3 } }),
    ]);
    const all = summarise(factsFor(["a", "b", "c"], seeds), results); // c has no run yet
    const tables = tablesOf(all).filter(({ id }) => id.startsWith("sampling"));
    expect(tables.map(({ id, head }) => [id, head])).toEqual([
      ["sampling", ["", "hardness", "c", "d", "e", "f", "g"]],
      ["sampling-2", ["", "h"]],
      ["sampling-own", ["", "figure", "value"]],
    ]);
    expect(tables[0].rows.map(([name]) => name).slice(0, 2)).toEqual(["a", "b"]);
    expect(tables[2].rows.map((row) => row.slice(0, 2))).toEqual([
      ["b", "i"],
      ["b", "auroc"],
    ]);
    expect(tables[0].meanings).toEqual([["hardness", all.meanings.hardness]]);
    expect(tables[2].meanings).toEqual([["auroc", all.meanings.auroc]]);
  });

  test("copies of training images among the test images are counted, with the accuracy without them", () => {
    const images = { ...resultFor("simclr", 0, 0.9).images, copies: 500 };
    const copied = (seed: number) =>
      resultFor("simclr", seed, 0.9, {
        images,
        knnWithoutCopies: 0.8 + 0.1 * seed,
        linearWithoutCopies: 0.7,
      });
    const all = summarise(factsFor(["simclr"], [0, 1]), [copied(0), copied(1)]);
    expect(all.data.copies).toBe(500);
    expect(renderMarkdown(all)).toContain(
      "- copies: 500 of 2,000 test images are copies of training images, which flatters every figure; k-NN and linear without them: simclr 85.0 and 70.0 %",
    );
    const known = { knn: 1, linear: 1, knnWithoutCopies: 0.6, linearWithoutCopies: 0.5 };
    const beside = (own: number) => {
      const baselines = { untrained: known, pixels: known };
      const result = resultFor("simclr", 0, 0.9, { images, knnWithoutCopies: own, baselines });
      return summarise(factsFor(["simclr"], [0]), [result]);
    };
    expect(beside(0.7).allBelowPixels).toBe(false); // pixels know the copies best
    expect(renderMarkdown(beside(0.7))).toContain("raw pixels 60.0 and 50.0 %");
    expect(beside(0.5).conclusion[0]).toContain("k-NN without copies of training images 60.0 %");
    const none = summarise(factsFor(["simclr"], [0]), [resultFor("simclr", 0, 0.9)]);
    expect(renderMarkdown(none)).not.toContain("copies");
  });

  test("without labels says that no accuracy can be compared, and names no verdict", () => {
    const results = seeds.flatMap((seed) => [
      resultFor("a", seed, null),
      resultFor("b", seed, null, { effectiveRank: 20 + seed }),
    ]);
    const all = summarise(factsFor(["a", "b"], seeds), results);
    expect(all.arms.map(({ verdict }) => verdict)).toEqual([null, null]);
    expect(all.conclusion.join(" ")).toContain("no accuracy can be compared");
    expect(tablesOf(all).map(({ id }) => id)).toEqual(["shape", "cost", "sampling"]);
    expect(renderMarkdown(all)).not.toMatch(/k-NN %|\b[ab] is (better|worse)/);
  });

  test("counts views beyond the base's, boxes made anew included, and survives JSON", () => {
    const facts = factsFor(["a", "b"], seeds);
    const arms = [facts.arms[0], { ...facts.arms[1], passes: { gradient: 4, forward: 0 } }];
    const results = [resultFor("a", 0, 0.4), resultFor("b", 0, 0.4, { boxRefreshes: 1 })];
    const all = summarise({ ...facts, arms }, results);
    expect(all.arms[1].extraPasses).toEqual({ gradient: 2, forward: 0.5 });
    expect(all.meanings.hardness).toContain("cosine");
    const spaces = resultFor("a", 0, 0.4, { sampling: { lossSpace2: 5 } });
    expect(summarise({ ...facts, arms }, [spaces]).meanings.lossSpace2).toContain("space");
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
  });

  test("gives the cost that is typical, whatever held a single run up", () => {
    const held = [12, 400, 14].map((seconds, seed) => resultFor("b", seed, 0.4, { seconds }));
    const results = [0, 1, 2].map((seed) => resultFor("a", seed, 0.4));
    const all = summarise(factsFor(["a", "b"], [0, 1, 2]), [...results, ...held]);
    const { rows } = tablesOf(all).find(({ id }) => id === "cost")!;
    expect(rows.map((row) => row.slice(3, 6))).toEqual([
      ["8.00", "4.00", "1.00 ×"],
      ["14.0", "7.00", "1.75 ×"],
    ]);
  });
});

describe("figures of a run", () => {
  const step = (i: number, more: object = {}) =>
    ({
      kind: "step",
      epoch: Math.floor(i / 3),
      step: i,
      loss: 6 - i,
      chanceLoss: 6,
      learningRate: 1,
      imagesPerSecond: 1,
      waitShare: 0,
      memoryMiB: 100 + i,
      elapsedSeconds: 2 * i,
      hardness: i,
      ...more,
    }) as never;

  test("are of the last epoch and the last third of the steps", () => {
    const records = [0, 1, 2, 3, 4, 5].map((i) => step(i, i === 5 ? { auroc: 0.8 } : {}));
    expect(runFigures(records)).toMatchObject({
      steps: 6,
      seconds: 10,
      memoryMiB: 105,
      loss: 2,
      chanceLoss: 6,
      sampling: { hardness: 4.5, auroc: 0.8 },
    });
    expect(() => runFigures([])).toThrow("no step");
  });

  test("speed is told once enough was seen, without the first steps", () => {
    const records = Array.from({ length: 8 }, (_, i) => step(i));
    const enough = { steps: 6, seconds: 4, most: 100 };
    expect(speedOf(records.slice(0, 6), enough)).toBeUndefined();
    expect(speedOf(records, enough)).toEqual({ secondsPerStep: 2, memoryMiB: 107 });
    expect(speedOf(records.slice(0, 6), { ...enough, most: 5 })?.secondsPerStep).toBe(2);
  });
});
