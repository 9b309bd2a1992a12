import { expect, test } from "vitest";

import { type Comparison, summarise } from "../compare/index.ts";
import { factsFor, resultFor } from "../compare/testing.ts";
import { renderComparison } from "./renderComparison.ts";

const seeds = [0, 1, 2];
const made = (names: string[], knn: number | null): Comparison =>
  summarise(
    factsFor(names, seeds),
    seeds.flatMap((seed) => names.map((name, i) => resultFor(name, seed, knn && knn + i * 0.1))),
  );
const sectionsOf = (page: string) =>
  [...page.matchAll(/<section\s+id="([^"]*)"/g)].map((match) => match[1]);

test("shows accuracies, differences, tables and the command", () => {
  const page = renderComparison(made(["plain", "ours"], 0.4));
  expect(sectionsOf(page)).toEqual([
    ...["knn", "differences", "accuracy", "shape", "cost", "sampling", "repeat"],
  ]);
  expect(page).toContain("ours is better than plain by 10.0 points");
});

test("marks what learned nothing on the axis of accuracies", () => {
  const all = made(["plain", "ours"], 0.4);
  const baselines = { ...all.baselines, pixels: { knn: 0.271, linear: 0.3 } };
  const page = renderComparison({ ...all, baselines });
  const chart = page.slice(page.indexOf('id="knn"'), page.indexOf('id="differences"'));
  expect(chart).toMatch(/raw pixels<\/span>[^]*27\.1/);
  expect(chart).toContain('class="mark"');
});

test("without labels shows no accuracy", () => {
  const page = renderComparison(made(["plain", "ours"], null));
  expect(sectionsOf(page)).toEqual(["shape", "cost", "sampling", "repeat"]);
  expect(page).toContain("no accuracy can be compared");
});

test("before a run is done there is still a page, and failed runs are named on it", () => {
  const failed = [{ arm: "a", seed: 0, error: "loss is NaN" }];
  const page = renderComparison(summarise({ ...factsFor(["a", "b"], seeds), failed }, []));
  expect(sectionsOf(page)).toContain("failed");
  expect(page).toContain("loss is NaN");
  expect(page).not.toContain("NaN ±");
});

test("refers to nothing outside itself, runs nothing, and hostile text stays text", () => {
  const bad = `<img src=x onerror=alert(1)>"'</title></style><script>alert(2)</script>`;
  const facts = { ...factsFor([bad, "b"], seeds), command: bad, machine: bad };
  const results = seeds.map((seed) => resultFor(bad, seed, 0.4, { sampling: { [bad]: 1 } }));
  const page = renderComparison(summarise(facts, results));
  expect(page).not.toMatch(/<script|<img src=x/i);
  expect(page.match(/<\/style>/g)).toHaveLength(1);
  for (const [, value] of page.matchAll(/\s(?:src|href)="([^"]*)"/g)) expect(value).toMatch(/^#/);
  expect(page).not.toMatch(/@import|url\(|https?:/i);
});
