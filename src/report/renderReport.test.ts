import { expect, test } from "vitest";

import { DataError } from "../core/errors.ts";
import { renderReport } from "./renderReport.ts";
import type { ReportData } from "./reportData.ts";

const pixel = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const bare: ReportData = { run: "first", method: "SimCLR", encoder: "ResNet-18" };

const full: ReportData = {
  ...bare,
  created: "2026-03-01T14:05:22Z",
  summary: [{ name: "images", value: 1200 }],
  evaluation: {
    testImages: 400,
    dimension: 512,
    knn: { k: 20, temperature: 0.07 },
    trained: { knn: { value: 0.5 }, linear: { value: 0.55 }, effectiveRank: { value: 80 } },
    baselines: { chance: { knn: { value: 0.1 } }, pixels: { knn: { value: 0.36 } } },
  },
  training: [
    { step: 0, epoch: 0, loss: 5, chanceLoss: 5.5, positiveSimilarity: 0.1, negativeSimilarity: 0 },
    { step: 1, epoch: 0, loss: 4, chanceLoss: 5.5, positiveSimilarity: 0.3, negativeSimilarity: 0 },
  ],
  epochs: [{ epoch: 1, knnAccuracy: 0.4, knnChance: 0.1 }],
  views: { rows: [{ original: { source: pixel, path: "a.png" }, views: [{ source: pixel }] }] },
  neighbours: {
    rows: [
      {
        query: { source: pixel, label: "cat" },
        neighbours: [
          { source: pixel, label: "cat", similarity: 0.9 },
          { source: pixel, label: "dog", similarity: 0.8 },
          { source: pixel, similarity: 0.7 },
        ],
      },
    ],
  },
  skipped: [{ path: "b.png", reason: "truncated" }],
  command: "contrapose train photos --set seed=3",
  seed: 3,
  timings: [{ name: "training", seconds: 62 }],
  versions: { node: "v20.19.4" },
  machine: { cores: 2 },
  config: { method: "simclr" },
};

const text = (page: string) =>
  page
    .replace(/<style>.*<\/style>/s, "")
    .replace(/<title>.*?<\/title>/gs, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

const sectionsOf = (page: string) =>
  [...page.matchAll(/<section\s+id="([^"]*)"/g)].map((m) => m[1]);

test("a full report has every section, each listed in the contents", () => {
  const page = renderReport(full);
  const ids = ["knn", "measures", "training", "views", "neighbours", "skipped", "repeat"];
  expect(sectionsOf(page)).toEqual(ids);
  const links = [...page.matchAll(/href="#([^"]*)"/g)].map((match) => match[1]);
  expect(links).toEqual(ids);
});

test("what is absent leaves its section out", () => {
  expect(sectionsOf(renderReport(bare))).toEqual([]);
  for (const [key, gone] of [
    ["training", undefined],
    ["views", "views"],
    ["neighbours", "neighbours"],
    ["skipped", "skipped"],
  ] as const) {
    const page = renderReport({ ...full, [key]: undefined });
    const expected = sectionsOf(renderReport(full)).filter((id) => id !== gone);
    expect(sectionsOf(page), key).toEqual(expected);
  }
  const empty = {
    training: [],
    epochs: [],
    views: { rows: [] },
    neighbours: { rows: [] },
    skipped: [],
  };
  expect(sectionsOf(renderReport({ ...bare, ...empty }))).toEqual([]);
});

test("without labels there is no accuracy, but what was measured is shown", () => {
  const evaluation = { trained: { uniformity: { value: -2.5 } } };
  const page = renderReport({ ...bare, evaluation, epochs: [{ epoch: 1, effectiveRank: 12 }] });
  expect(sectionsOf(page)).toEqual(["measures", "training"]);
  expect(text(page)).not.toContain("k-NN");
  expect(text(page)).not.toContain("Linear probe");
  expect(text(page)).toContain("\u22122.500");
});

test("the page refers to nothing outside itself and runs nothing", () => {
  const page = renderReport(full);
  for (const [, value] of page.matchAll(/\s(?:src|href|srcset|poster|action|data)="([^"]*)"/g)) {
    expect(value).toMatch(/^(#|data:image\/)/);
  }
  expect(page).not.toMatch(/<(script|link|iframe|object|embed|base)\b/i);
  const shell = page.replaceAll(pixel, "");
  expect(shell).not.toMatch(/@import|url\(|https?:|\/\/[a-z]/i);
  expect(page).toContain("default-src &#39;none&#39;");
});

test("hostile text stays text, wherever it comes from", () => {
  const bad = `<img src=x onerror=alert(1)>"'&</title></style><script>alert(2)</script>`;
  const thumbnail = { source: pixel, path: bad, label: bad };
  const page = renderReport({
    run: bad,
    method: bad,
    encoder: bad,
    created: bad,
    summary: [{ name: bad, value: bad }],
    evaluation: {
      ...full.evaluation,
      testSet: bad,
      intervals: bad,
      trained: { knn: { value: 0.5, interval: [0.4, 0.6] } },
    },
    training: full.training,
    views: { note: bad, rows: [{ original: thumbnail, views: [thumbnail] }] },
    neighbours: { note: bad, rows: [{ query: thumbnail, neighbours: [thumbnail] }] },
    skipped: [{ path: bad, reason: bad }],
    command: bad,
    seed: bad,
    timings: [{ name: bad, seconds: 1 }],
    versions: { [bad]: bad },
    machine: { [bad]: bad },
    config: { [bad]: bad },
  });
  expect(page).not.toMatch(/<script|<img src=x/i);
  const pictures = page.match(/<img\b/g);
  expect(pictures).toHaveLength(4);
  for (const [tag] of page.matchAll(/<[a-z][^>]*>/g))
    expect(tag).not.toMatch(/\sonerror=(?!alert\(1\)&gt;)/);
  expect(page.match(/<\/title>/g)?.length).toBe(page.match(/<title>/g)?.length);
  expect(page.match(/<\/style>/g)).toHaveLength(1);
});

test("accuracy stands beside its baselines, with intervals from the number of test images", () => {
  const words = text(renderReport(full)).replaceAll("\u00a0", " ");
  expect(words).toMatch(/this run 50\.0 % 45\.1 % to 54\.9 %/); // Wilson, 200 of 400
  expect(words).toMatch(/raw pixels 36\.0 % \d/);
  expect(words).toMatch(/chance 10\.0 % (?!\d+\.\d % to)/);
  expect(words).not.toContain("untrained encoder");
});

test("given intervals are shown as given, and none is computed beside them", () => {
  const trained = { knn: { value: 0.5, interval: [0.41, 0.62] as const } };
  const evaluation = { ...full.evaluation, trained, intervals: "three seeds" };
  const words = text(renderReport({ ...bare, evaluation })).replaceAll("\u00a0", " ");
  expect(words).toContain("41.0 % to 62.0 %");
  expect(words).toContain("Whiskers: three seeds.");
  expect(words.match(/% to/g)).toHaveLength(2); // the bar and the table, of the run alone
});

test("neighbours of another label are marked, counted and told to screen readers", () => {
  const page = renderReport(full);
  const words = text(page).replaceAll("\u00a0", " ");
  expect(words).toContain("Those of another label are marked ≠.");
  expect(words).not.toContain("share the label"); // six rows say nothing of the rest
  const row = page.slice(page.indexOf('id="neighbours"'), page.indexOf('id="skipped"'));
  const kinds = [...row.matchAll(/<figure\s+class="(\w+)"/g)].map((match) => match[1]);
  expect(kinds).toEqual(["first", "same", "other", "unknown"]);
  expect(row).toContain('alt="Neighbour 2, dog, another label"');
});

test("long lists of skipped files are cut, saying how many more there are", () => {
  const skipped = Array.from({ length: 620 }, (_, i) => ({ path: `${i}.png`, reason: "empty" }));
  const words = text(renderReport({ ...bare, skipped }));
  expect(words).toContain("499.png");
  expect(words).not.toContain("500.png");
  expect(words).toContain("120 further files");
});

test("a report read back from JSON, where NaN became null, is drawn with a gap", () => {
  const training = [4, NaN, 3].map((loss, step) => ({ step, epoch: 0, loss }));
  const data = JSON.parse(JSON.stringify({ ...full, training })) as ReportData;
  const page = renderReport(data);
  expect(sectionsOf(page)).toContain("training");
  expect(page).not.toMatch(/NaN|undefined/);
});

test("the command and the config stand in the page letter by letter", () => {
  const page = renderReport({ ...full, config: { a: 1, b: [1, 2] } });
  expect(page).toContain("<code>contrapose train photos --set seed=3</code>");
  expect(page).toMatch(/<code>\{\n {2}&quot;a&quot;: 1,\n {2}&quot;b&quot;: \[1, 2\]\n\}<\/code>/);
});

test("a thumbnail that lies elsewhere is an error, not a broken picture", () => {
  const original = { source: "https://example.org/a.png", path: "a.png" };
  const views = { rows: [{ original, views: [{ source: pixel }] }] };
  expect(() => renderReport({ ...bare, views })).toThrow(DataError);
});

test("curves of the sampling appear where they were measured", () => {
  const point = (step: number, sampling?: Record<string, number>) => ({
    step,
    epoch: 0,
    loss: 1,
    sampling,
  });
  const measured = renderReport({
    ...bare,
    training: [0, 1, 2].map((step) => point(step, { hardness: 0.1 * step, clampedShare: 0.5 })),
  });
  expect(measured).toContain("Hardness");
  expect(measured).toContain("Clamped anchors");
  expect(measured).not.toContain("Demoted views");
  const plain = renderReport({ ...bare, training: [0, 1, 2].map((step) => point(step)) });
  expect(plain).not.toContain('id="sampling"');
});

test("the first sentence says how the encoder stands beside raw pixels, and copies are warned of", () => {
  const { evaluation } = full;
  const lead = (page: string) =>
    text(
      page.slice(page.indexOf('class="lead'), page.indexOf("</p>", page.indexOf('class="lead'))),
    );
  expect(lead(renderReport(full))).toContain(
    "This encoder is 14.0 points ahead of raw pixels: 50.0 % of 400 test images",
  );
  const pixels = { knn: { value: 0.6, withoutCopies: 0.7 } };
  const trained = { knn: { value: 0.5, withoutCopies: 0.4 } };
  const lost = {
    ...full,
    evaluation: { ...evaluation, trained, copies: 32, baselines: { pixels } },
  };
  const page = renderReport(lost);
  expect(lead(page)).toContain(
    "This encoder lost to raw pixels by 30.0 points: 40.0 % of 368 test images that are no copies",
  );
  expect(text(page)).toContain(
    "Warning: 32 of 400 test images are copies of training images, which flatters every figure. Without them 40.0 %, 70.0 % by raw pixels.",
  );
});

test("curves of k-NN lie beside what the encoder has to beat, and say whose labels they are of", () => {
  const epochBaselines = {
    knnPixels: 0.36,
    knnStart: 0.2,
    startName: "untrained",
    asked: "400 test images (held out)",
  };
  const words = text(renderReport({ ...full, epochBaselines }));
  expect(words).toMatch(/raw pixels 36.0 % .*untrained 20.0 %/);
  expect(words).toContain("share right of 400 test images (held out)");
});
