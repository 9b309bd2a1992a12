import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { PixelImage } from "../src/core/pixels.ts";
import { decodeImage, encodePng } from "../src/data/index.ts";
import { blobs } from "../src/data/testing.ts";
import { readNpy, readParquet, readParquetFooter, writeParquet } from "../src/files/index.ts";
import { readEmbeddings } from "../src/store/index.ts";
import { contrapose, scratch } from "./cli.ts";

const folder = scratch();
const photos = folder.at("photos");
const run = folder.at("run");
const table = folder.at("e");
const small = [
  ...["--epochs", "1", "--batch-size", "8", "--encoder", "convnet", "--width", "8"],
  ...["--set", "encoder.depth=2", "--image-size", "32"],
  ...["--threads", "1", "--workers", "0", "--quiet"],
];

const put = async (name: string, image: PixelImage) =>
  writeFileSync(join(photos, name), await encodePng(image));

type Row = {
  id: string;
  path: string;
  label: string;
  group: number;
  width: number;
  height: number;
  vector: number[];
};

beforeAll(async () => {
  for (const [k, kind] of ["dog", "shoe"].entries()) {
    mkdirSync(join(photos, kind), { recursive: true });
    for (let i = 0; i < 8; i++) await put(`${kind}/${i}.png`, blobs(100 * k + i, 40 + 4 * i, 40));
  }
  const trained = await contrapose(["train", photos, "--out", run, ...small]);
  expect([trained.err, trained.code]).toEqual(["", 0]);
});
afterAll(() => folder.remove());

describe("embed", () => {
  test("writes a row an image, and the same vectors as npy", async () => {
    const { code, json } = await contrapose(["embed", run, photos, "--out", table, "--json"]);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ images: 16, fresh: 16, kept: 0, dropped: 0 });
    const rows = (await readParquet(`${table}.parquet`)) as Row[];
    expect(rows[3]).toMatchObject({ id: "dog/3.png", path: "dog/3.png", label: "dog" });
    expect(rows[3]).toMatchObject({ width: 52, height: 40 });
    const array = await readNpy(`${table}.npy`);
    expect(array.shape).toEqual([16, rows[0].vector.length]);
    expect(rows.flatMap(({ vector }) => Array.from(vector))).toEqual(Array.from(array.data));
    const names = readFileSync(`${table}.names.txt`, "utf8").trimEnd().split("\n");
    expect(names).toEqual(rows.map(({ id }) => id));
  });

  test("embeds new and changed images only, and drops those that are gone", async () => {
    const before = (await readParquet(`${table}.parquet`)) as Row[];
    await put("dog/0.png", blobs(900, 40));
    await put("shoe/new.png", blobs(901, 40));
    rmSync(join(photos, "shoe/7.png"));
    utimesSync(join(photos, "dog/1.png"), new Date(), new Date()); // touched, same pixels
    const args = ["embed", run, photos, "--out", table, "--json"];
    expect((await contrapose(args)).json()).toMatchObject({ fresh: 2, kept: 14, dropped: 2 });
    const after = (await readParquet(`${table}.parquet`)) as Row[];
    expect(after.map(({ id }) => id)).toContain("shoe/new.png");
    expect(after.map(({ id }) => id)).not.toContain("shoe/7.png");
    expect(after[2].vector).toEqual(before[2].vector);
    expect(after[0].vector).not.toEqual(before[0].vector);
    const bytes = readFileSync(`${table}.parquet`);
    expect((await contrapose(args)).json()).toMatchObject({ fresh: 0, kept: 16, dropped: 0 });
    expect(readFileSync(`${table}.parquet`).equals(bytes)).toBe(true);
  });

  test("takes an exported model as it is, and gives the same vectors", async () => {
    const exported = folder.at("exported");
    expect((await contrapose(["export", run, "--out", exported])).code).toBe(0);
    const model = join(exported, "encoder.onnx");
    const args = ["embed", model, photos, "--out", folder.at("o"), "--json"];
    const { code, json } = await contrapose(args);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ images: 16, fresh: 16 });
    const [ours, theirs] = [await readNpy(`${table}.npy`), await readNpy(folder.at("o.npy"))];
    const largest = Math.max(...ours.data.map(Math.abs));
    ours.data.forEach((x, i) => expect(Math.abs(x - theirs.data[i])).toBeLessThan(1e-4 * largest));
    const described = JSON.parse(readFileSync(join(exported, "encoder.json"), "utf8")) as object;
    expect(described).toMatchObject({ input: "images", output: "features", imageSize: 32 });
  });

  test("refuses to put other images, or vectors scaled otherwise, in place of a table", async () => {
    const e = folder.at("elsewhere.parquet");
    cpSync(`${table}.parquet`, e);
    const place = folder.at("elsewhere");
    cpSync(photos, place, { recursive: true });
    const args = ["embed", run, "--out", e, "--json"];
    const others = await contrapose([...args, "--data", place]);
    expect([others.code, others.err]).toEqual([2, expect.stringContaining("holds the images of")]);
    const replaced = await contrapose([...args, "--data", place, "--overwrite"]);
    expect(replaced.json()).toMatchObject({ fresh: 0, kept: 16 }); // the pixels are the same
    expect((await readParquetFooter(e)).metadata.images).toBe(place);
    const unit = await contrapose([...args, "--data", place, "--normalise"]);
    expect([unit.code, unit.err]).toEqual([
      2,
      expect.stringContaining("holds vectors made without --normalise"),
    ]);
  });

  test("a run that was moved: search is told where it is, embedding again notes it", async () => {
    const [before, after, e] = [folder.at("before"), folder.at("after"), folder.at("of-moved")];
    cpSync(join(run, "checkpoints"), join(before, "checkpoints"), { recursive: true });
    expect((await contrapose(["embed", before, photos, "--out", e])).code).toBe(0);
    renameSync(before, after);
    const search = ["search", e, "--image", join(photos, "shoe/3.png"), "--json"];
    const lost = await contrapose(search);
    expect(lost.code).toBe(2);
    expect(lost.err).toContain("say with --encoder where it is");
    const found = await contrapose([...search, "--encoder", after]);
    expect((found.json() as unknown as Found).hits[0].id).toBe("shoe/3.png");
    const again = await contrapose(["embed", after, photos, "--out", e, "--json"]);
    expect(again.json()).toMatchObject({ fresh: 0, kept: 16, dropped: 0 });
    const { metadata } = await readParquetFooter(`${e}.parquet`);
    expect(metadata.encoder).toBe(join(after, "checkpoints", "last", "weights.safetensors"));
  });

  test("packs images where it can write: as --cache says, or beside the table of a model of no run", async () => {
    const model = folder.at("models", "encoder.onnx");
    mkdirSync(folder.at("models"));
    cpSync(join(folder.at("exported"), "encoder.onnx"), model);
    writeFileSync(folder.at("models", ".packed"), "in the way");
    const out = folder.at("tables", "o");
    const { code } = await contrapose(["embed", model, photos, "--out", out]);
    expect(code).toBe(0);
    expect(readdirSync(folder.at("tables", ".packed"))).toHaveLength(1);
    const more = ["--out", folder.at("c"), "--cache", folder.at("cache")];
    expect((await contrapose(["embed", run, photos, ...more])).code).toBe(0);
    expect(readdirSync(folder.at("cache"))).toHaveLength(1);
  });

  test("refuses to mix vectors of two encoders", async () => {
    const other = folder.at("other");
    const trained = await contrapose(["train", photos, "--out", other, ...small, "--seed", "1"]);
    expect(trained.code).toBe(0);
    const called = await contrapose(["embed", other, photos, "--out", table]);
    expect(called.code).toBe(2);
    expect(called.err).toContain("holds vectors of another encoder");
  });
});

/** An ONNX model without a word of its normalisation: our own, its metadata overwritten in place. */
function strip(model: Buffer): Buffer {
  const bytes = Buffer.from(model);
  for (const key of ["imageSize", "mean", "std"]) {
    for (let at = bytes.indexOf(key); at >= 0; at = bytes.indexOf(key, at + 1)) {
      bytes.write("x".repeat(key.length), at);
    }
  }
  return bytes;
}

describe("an ONNX model of another maker", () => {
  const model = folder.at("foreign.onnx");
  const args = () => ["embed", model, photos, "--out", folder.at("f")];
  beforeAll(() =>
    writeFileSync(model, strip(readFileSync(join(folder.at("exported"), "encoder.onnx")))),
  );

  test("says which part of its input is unknown", async () => {
    const { code, err } = await contrapose(args());
    expect(code).toBe(2);
    expect(err).toContain("does not say how images become its input: --mean, --std missing");
    expect(err).toContain("as in --image-size 224 --mean");
  });

  test("works where the user says it", async () => {
    const stated = ["--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"];
    const { code, json } = await contrapose([...args(), ...stated, "--json"]);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ images: 16 });
  });

  test("checks what the user says", async () => {
    const wrong = await contrapose([...args(), "--mean", "0.5,a", "--image-size", "0"]);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/--image-size: expected .*\n.*--mean: expected numbers/);
    const size = await contrapose([
      ...args(),
      "--mean",
      "0,0,0",
      "--std",
      "1,1,1",
      "--image-size",
      "64",
    ]);
    expect(size.err).toMatch(
      /--image-size: .* takes float32 \[batch, 3, 32, 32\], not images of 64 px/,
    );
  });

  test("is refused where it is no model at all", async () => {
    const broken = folder.at("broken.onnx");
    writeFileSync(broken, "no model");
    const { code, err } = await contrapose(["embed", broken, photos]);
    expect(code).toBe(2);
    expect(err).toContain("it is no ONNX model, or it is cut short");
  });
});

const duckdb = await import("@duckdb/node-api").then(
  () => true,
  () => false,
);
type Found = { hits: { id: string; label: string; similarity: number }[]; page: string };

describe("search", () => {
  test("finds a picture of the set with the picture itself, and writes a page", async () => {
    const asked = join(photos, "shoe/3.png");
    const { code, out, json } = await contrapose(["search", table, "--image", asked, "--json"]);
    expect(code).toBe(0);
    expect(out).not.toContain("error");
    const { hits, page } = json() as unknown as Found;
    expect(hits[0].id).toBe("shoe/3.png");
    expect(hits[0].similarity).toBeGreaterThan(0.9999);
    expect(hits.length).toBe(16);
    const text = readFileSync(page, "utf8");
    expect(text).toContain("data:image/jpeg;base64,");
    expect(text).toContain('href="photos/shoe/3.png"');
    expect(text).not.toContain("<script");
  });

  test("prints its real time, and keeps to a condition", async () => {
    const where = "label = 'dog' and width > 50";
    const args = ["search", table, "--id", "shoe/3.png", "--k", "3", "--where", where];
    const { code, out } = await contrapose(args);
    expect(code).toBe(0);
    expect(out).toMatch(/searched {3}16 vectors in [\d.]+ ms \(exact; opened in [\d.]+ ms\)/);
    expect(out.split("\n").filter((line) => / dog\/\d/.test(line)).length).toBe(3);
    expect(out).not.toMatch(/ shoe\/\d/);
  });

  test.skipIf(!duckdb)("gives the same from DuckDB, which also takes SQL", async () => {
    expect((await contrapose(["index", table])).code).toBe(0);
    expect((await contrapose(["index", table])).err).toContain("exists");
    const args = ["search", table, "--id", "dog/2.png", "--k", "5", "--json"];
    const [ours, theirs] = [
      await contrapose(args),
      await contrapose([...args, "--store", "duckdb"]),
    ];
    const ids = ({ json }: typeof ours) => (json() as unknown as Found).hits.map(({ id }) => id);
    expect(ids(theirs)).toEqual(ids(ours));
    const sql = "select label, count(*) as n from images group by label order by label";
    const asked = await contrapose(["search", table, "--sql", sql]);
    expect(asked.out).toBe("label  n\ndog    8\nshoe   8\n");
  });

  test("says what is wrong with a question", async () => {
    const err = async (...args: string[]) => {
      const called = await contrapose(["search", table, ...args]);
      expect(called.code).toBe(2);
      return called.err;
    };
    expect(await err()).toContain("what to ask with is missing");
    expect(await err("--image", folder.at("no.jpg"))).toContain('no.jpg" does not exist');
    expect(await err("--id", "nobody")).toContain('there is no image "nobody"');
    expect(await err("--id", "dog/1.png", "--where", "labl = 'a'")).toContain(
      "did you mean label?",
    );
    const sql = ["--sql", "select 1", "--where", "width > 1", "--out", "a.html"];
    expect(await err(...sql)).toContain("--sql is answered without --where, --out");
    const text = folder.at("text.jpg");
    writeFileSync(text, "no picture");
    expect(await err("--image", text)).toContain("it is text, not an image");
    expect(
      await err("--id", "dog/1.png", "--store", "qdrant", "--url", "http://127.0.0.1:1"),
    ).toContain("qdrant: no answer from http://127.0.0.1:1");
  });

  test("refuses another encoder than the one that made the vectors", async () => {
    const moved = folder.at("moved");
    cpSync(join(run, "checkpoints"), join(moved, "checkpoints"), { recursive: true });
    const e = folder.at("m");
    expect((await contrapose(["embed", moved, photos, "--out", e])).code).toBe(0);
    cpSync(join(folder.at("other"), "checkpoints"), join(moved, "checkpoints"), {
      recursive: true,
    });
    const { code, err } = await contrapose(["search", e, "--image", join(photos, "dog/1.png")]);
    expect(code).toBe(2);
    expect(err).toContain("is another encoder than the one that made the vectors");
  });

  test("a table whose paths lead out of the folder is refused", async () => {
    const odd = folder.at("out.parquet");
    const rows = (await readParquet(`${table}.parquet`)) as Row[];
    const { metadata } = await readParquetFooter(`${table}.parquet`);
    const columns = [
      ...(["id", "path", "label", "content"] as const).map((name) => ({
        name,
        type: "string" as const,
      })),
      ...(["group", "width", "height"] as const).map((name) => ({
        name,
        type: "int32" as const,
      })),
      { name: "vector", type: "vector" as const },
    ];
    const name = "../secret.png";
    const lead = rows.map((row, i) => (i === 0 ? { ...row, id: name, path: name } : row));
    await writeParquet(odd, columns, lead, { ...metadata, packed: folder.at("none") });
    const { code, err } = await contrapose(["search", odd, "--id", name]);
    expect(code).toBe(2);
    expect(err).toContain('"../secret.png" leads outside the folder');
  });
});

describe("cluster", () => {
  test("puts every image into a group, as JSON, CSV and a page", async () => {
    const csv = folder.at("clusters.csv");
    const args = ["cluster", table, "--k", "3", "--csv", csv, "--json"];
    const { code, json } = await contrapose(args);
    expect(code).toBe(0);
    const { clusters, page } = json() as { clusters: { images: string[] }[]; page: string };
    expect(clusters.flatMap(({ images }) => images).length).toBe(16);
    expect(readFileSync(csv, "utf8").split("\n")[0]).toBe("id,cluster,similarity");
    expect(readFileSync(page, "utf8")).toContain("Cluster 1");
    const many = await contrapose(["cluster", table, "--k", "17"]);
    expect([many.code, many.err]).toEqual([2, expect.stringContaining("17 groups cannot be made")]);
  });
});

describe("outliers", () => {
  test("lists every image, the farthest first, as JSON, CSV and a page", async () => {
    const csv = folder.at("outliers.csv");
    const { code, json } = await contrapose([
      "outliers",
      table,
      "--k",
      "3",
      "--csv",
      csv,
      "--json",
    ]);
    expect(code).toBe(0);
    type Listed = { id: string; score: number; nearest: { id: string } };
    const { outliers, page, k } = json() as { outliers: Listed[]; page: string; k: number };
    expect([outliers.length, k]).toEqual([16, 3]);
    const scores = outliers.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    outliers.forEach(({ id, nearest }) => expect(nearest.id).not.toBe(id));
    const lines = readFileSync(csv, "utf8").trim().split("\n");
    expect(lines[0]).toBe("id,score,distance,nearest,similarity");
    expect(lines[1].split(",")[0]).toBe(outliers[0].id);
    expect(readFileSync(page, "utf8")).toContain(`${scores[0].toFixed(2)} × the usual distance`);
  });

  test("says what it cannot do", async () => {
    const many = await contrapose(["outliers", table, "--k", "16"]);
    expect([many.code, many.err]).toEqual([2, expect.stringContaining("have no 16 others each")]);
    const plain = await contrapose(["outliers", photos]);
    expect([plain.code, plain.err]).toEqual([2, expect.stringContaining("need an encoder")]);
    const both = await contrapose(["outliers", table, "--from", "efficientnet-lite0"]);
    expect([both.code, both.err]).toEqual([2, expect.stringContaining("--from is for images")]);
  });
});

describe("suggest-labels", () => {
  test("names unlabelled images as JSON, a page and a table that train --labels takes", async () => {
    const [labels, csv] = [folder.at("some.csv"), folder.at("next.csv")];
    const { images } = await readEmbeddings(table);
    const given = images.slice(0, 4).map(({ id }, i) => `${id},kind${i % 2}`);
    writeFileSync(labels, ["path,label", ...given, ""].join("\n"));
    const args = ["--labels", labels, "--count", "6", "--uncertain", "2", "--csv", csv, "--json"];
    const { code, json, err } = await contrapose(["suggest-labels", table, ...args]);
    expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
    type Listed = { path: string; why: string; guess: string | null };
    const found = json() as { suggestions: Listed[]; page: string; labelled: number };
    expect(found.labelled).toBe(4);
    expect(found.suggestions.map(({ why }) => why)).toEqual([
      ...["typical", "typical", "typical", "typical", "uncertain", "uncertain"],
    ]);
    const known = new Set(images.slice(0, 4).map(({ id }) => id));
    expect(found.suggestions.some(({ path }) => known.has(path))).toBe(false);
    expect(found.suggestions[5].guess).toMatch(/^kind[01]$/);
    const lines = readFileSync(csv, "utf8").trim().split("\n");
    expect(lines[0]).toBe("path,label,why,score,cluster,guess");
    expect(lines).toHaveLength(7);
    expect(readFileSync(found.page, "utf8")).toContain("typical of");
  });
});

describe("dedupe", () => {
  const mixed = folder.at("mixed");
  beforeAll(async () => {
    cpSync(photos, mixed, { recursive: true });
    cpSync(join(photos, "dog/2.png"), join(mixed, "copy of 2.png"));
    const { width, height, data } = blobs(4, 56, 40);
    const bright = { width, height, channels: 3 as const, data: data.map((x) => x * 0.9) };
    writeFileSync(join(mixed, "darker 4.png"), await encodePng(bright));
    writeFileSync(join(mixed, "broken.png"), "no picture");
    writeFileSync(join(mixed, "cut.png"), readFileSync(join(photos, "dog/1.png")).subarray(0, 300));
  });

  type Groups = { groups: { kind: string; images: { id: string }[] }[]; skipped: object[] };
  const groupsOf = (answer: unknown) =>
    (answer as Groups).groups.map(({ kind, images }): [string, string[]] => [
      kind,
      images.map(({ id }) => id).sort(),
    ]);

  test("lists copies in a folder of mixed files, and what could not be read", async () => {
    const page = folder.at("mixed.html");
    const { code, json, out } = await contrapose([
      "dedupe",
      mixed,
      "--out",
      page,
      "--json",
      "--quiet",
    ]);
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n").length).toBe(1);
    expect(groupsOf(json())).toEqual([
      ["identical", ["copy of 2.png", "dog/2.png"]],
      ["near", ["darker 4.png", "dog/4.png"]],
    ]);
    expect((json() as Groups).skipped.length).toBe(2);
    expect(readFileSync(page, "utf8")).toContain("broken.png");
  });

  test("goes by vectors too, and writes groups", async () => {
    const e = folder.at("mixed-e");
    expect((await contrapose(["embed", run, mixed, "--out", e])).code).toBe(0);
    const groups = folder.at("groups.json");
    const { code, json } = await contrapose(["dedupe", e, "--write-groups", groups, "--json"]);
    expect(code).toBe(0);
    expect(groupsOf(json())[0]).toEqual(["identical", ["copy of 2.png", "dog/2.png"]]);
    const written = JSON.parse(readFileSync(groups, "utf8")) as { groups: string[][] };
    expect(written.groups.map((ids) => ids.sort())).toContainEqual(["copy of 2.png", "dog/2.png"]);
    const again = await contrapose(["dedupe", e, "--write-groups", groups]);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("exists")]);
    const all = await contrapose(["dedupe", e, "--threshold", "-1", "--json"]);
    const [kind, ids] = groupsOf(all.json()).at(-1)!; // by vectors everything is alike, but no copies
    expect([kind, ids.length]).toEqual(["similar", (all.json() as { images: number }).images]);
  });

  test("with --mutual, duplicates stay listed and other groups stay small", async () => {
    const args = ["dedupe", folder.at("mixed-e"), "--overwrite", "--json"];
    const plain = groupsOf((await contrapose(args)).json());
    const { json } = await contrapose([...args, "--mutual", "3"]);
    const found = groupsOf(json());
    expect(found.slice(0, plain.length)).toEqual(plain);
    const more = found.slice(plain.length);
    expect(more.length).toBeGreaterThan(0);
    for (const [kind, ids] of more) {
      expect(kind).toBe("mutual");
      expect(ids.length).toBeLessThanOrEqual(4);
    }
    const extra = plain.reduce((sum, [, ids]) => sum + ids.length - 1, 0);
    expect(json()).toMatchObject({ extra });
  });

  test("finds the same where images were packed again since, and says where pixels are missing", async () => {
    const e = folder.at("mixed-e");
    const args = ["dedupe", e, "--overwrite", "--json"];
    const before = await contrapose(args);
    expect(before.err).not.toContain("not at hand");
    cpSync(join(photos, "dog/2.png"), join(mixed, "a new copy.png"));
    writeFileSync(join(mixed, "a new one.png"), await encodePng(blobs(950, 40)));
    rmSync(join(mixed, "shoe/3.png"));
    expect((await contrapose(["embed", run, mixed, "--out", folder.at("later")])).code).toBe(0);
    const after = await contrapose(args);
    expect(groupsOf(after.json())).toEqual(groupsOf(before.json()));
    expect(after.err).toContain("the pixels of 1 image are not at hand");
    const { metadata } = await readParquetFooter(`${e}.parquet`);
    renameSync(metadata.packed, folder.at("away"));
    const without = await contrapose(args);
    expect(without.err).toContain("the pixels of all images are not at hand");
    expect(groupsOf(without.json())).toEqual([["identical", ["copy of 2.png", "dog/2.png"]]]);
  });

  test("frames that drift from one picture to another are not all one", async () => {
    const [first, last] = [blobs(60, 48), blobs(61, 48)];
    const frames = folder.at("frames");
    mkdirSync(frames);
    const steps = 16;
    for (let i = 0; i <= steps; i++) {
      const data = first.data.map((x, at) => x + (i / steps) * (last.data[at] - x));
      const name = `${String(i).padStart(2, "0")}.png`;
      writeFileSync(join(frames, name), await encodePng({ ...first, data }));
    }
    const page = folder.at("frames.html");
    const { json } = await contrapose(["dedupe", frames, "--out", page, "--json", "--quiet"]);
    const groups = groupsOf(json()).map(([, ids]) => ids);
    expect(groups.length).toBeGreaterThan(1);
    for (const ids of groups) expect(ids.length).toBeLessThan(steps);
  });
});

const interpreter = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3"; // Debian's has the packages
const numpy = spawnSync(interpreter, ["-c", "import numpy"]).status === 0;
const find = "import importlib.util, sys; sys.exit(importlib.util.find_spec('lightly') is None)";
const lightly = numpy && spawnSync(interpreter, ["-c", find]).status === 0;
const foreign = (...args: string[]) => {
  const script = join(import.meta.dirname, "foreign.py");
  const { stdout, stderr } = spawnSync(interpreter, [script, ...args], { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as { shape: number[]; values: number[]; [more: string]: unknown };
};

describe("other programs read what is written", () => {
  /** Largest difference of any number of the table to what a program read, which is printed. */
  const differenceTo = async (program: string, values: readonly number[]) => {
    const ours = (await readNpy(`${table}.npy`)).data;
    expect(values.length).toBe(ours.length);
    const largest = Math.max(...values.map((x, i) => Math.abs(x - ours[i])));
    process.stdout.write(`largest difference to ${program}: ${largest.toExponential(1)}\n`);
    return largest;
  };
  const exported = (to: string) => contrapose(["export", table, "--to", to, "--json"]);

  test.skipIf(!numpy)("npy: NumPy (needs python3-numpy)", async () => {
    const { shape, dtype, values } = foreign("npy", `${table}.npy`);
    const { shape: ours } = await readNpy(`${table}.npy`);
    expect({ shape, dtype }).toEqual({ shape: ours, dtype: "float32" });
    expect(await differenceTo("NumPy", values)).toBe(0);
  });

  test.skipIf(!duckdb)("Parquet: DuckDB (needs @duckdb/node-api)", async () => {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create()).connect();
    const path = `'${table}.parquet'`;
    const types = await connection.runAndReadAll(`describe select * from ${path}`);
    const named = types.getRowObjects().map((row) => [row.column_name, row.column_type]);
    expect(named).toContainEqual(["vector", "FLOAT[]"]);
    expect(named).toContainEqual(["width", "INTEGER"]);
    const rows = await connection.runAndReadAll(`select vector from ${path}`);
    const vectors = rows.getRowObjectsJS().map(({ vector }) => vector as number[]);
    expect(await differenceTo("DuckDB", vectors.flat())).toBe(0);
    connection.closeSync();
  });

  test("ONNX: onnxruntime alone gives the features of the table", async () => {
    const ort = await import("onnxruntime-node");
    const session = await ort.InferenceSession.create(join(folder.at("exported"), "encoder.onnx"));
    const size = 3 * 32 * 32;
    const x = Float32Array.from({ length: 2 * size }, (_, i) => Math.sin(i));
    const images = new ort.Tensor("float32", x, [2, 3, 32, 32]);
    const { features } = await session.run({ images });
    const { openImageEncoder } = await import("../src/evaluate/index.ts");
    const encoder = await openImageEncoder(run);
    const rows = {
      count: 2,
      fill: (row: number, out: Float32Array, offset: number) =>
        out.set(x.subarray(row * size, (row + 1) * size), offset),
    };
    const ours = await encoder.embed(rows);
    await encoder.dispose();
    const theirs = features.data as Float32Array;
    const largest = Math.max(...ours.data.map((value, i) => Math.abs(value - theirs[i])));
    process.stdout.write(`largest difference to onnxruntime alone: ${largest.toExponential(1)}\n`);
    expect(largest).toBeLessThan(1e-4 * Math.max(...ours.data.map(Math.abs)));
  });

  test.skipIf(!numpy)("TensorBoard's projector: vectors, metadata and a sprite", async () => {
    expect((await exported("tensorboard")).code).toBe(0);
    const at = (name: string) => join(`${table}-projector`, name);
    const { shape, values, names, rows } = foreign("tsv", at("vectors.tsv"), at("metadata.tsv"));
    expect(shape).toEqual((await readNpy(`${table}.npy`)).shape);
    expect(await differenceTo("the projector's table, by NumPy", values)).toBe(0);
    expect([names, rows]).toEqual([["id", "label", "group", "width", "height"], 16]);
    const { image } = await decodeImage(at("sprite.png"));
    expect([image.width, image.height]).toEqual([256, 256]); // four by four of 64 px
    expect(readFileSync(at("projector_config.pbtxt"), "utf8")).toContain("single_image_dim: 64");
    expect((await exported("tensorboard")).err).toContain("exists");
  });

  const checkLightly = async (way: string, program: string) => {
    const found = foreign(way, `${table}.csv`);
    expect(found.shape).toEqual((await readNpy(`${table}.npy`)).shape);
    expect(await differenceTo(program, found.values)).toBe(0);
    expect(found.labels).toEqual([...Array<number>(8).fill(0), ...Array<number>(8).fill(1)]);
    expect((found.filenames as string[])[0]).toBe("dog/0.png");
  };

  test.skipIf(!numpy)("Lightly's CSV, read without it, and the names of its labels", async () => {
    expect((await exported("lightly")).code).toBe(0);
    await checkLightly("csv", "Lightly's CSV, by NumPy");
    expect(readFileSync(`${table}.classes.txt`, "utf8")).toBe("dog\nshoe\n");
  });

  test.skipIf(!lightly)("Lightly's CSV: Lightly (needs lightly)", async () => {
    await checkLightly("lightly", "Lightly");
  });

  test("Embedding Atlas: vectors, and pictures as data URLs", async () => {
    const { code, json } = await exported("atlas");
    expect(code).toBe(0);
    expect(json().next).toContain("--vector vector --image image");
    const rows = (await readParquet(`${table}.atlas.parquet`)) as (Row & { image: string })[];
    expect(rows.length).toBe(16);
    expect(rows[3]).toMatchObject({ id: "dog/3.png", label: "dog" });
    expect(rows[3].image).toMatch(/^data:image\/jpeg;base64,/);
    const bytes = Buffer.from(rows[3].image.split(",")[1], "base64");
    expect((await decodeImage(bytes)).image.width).toBe(52);
  });
});

describe("groups of a file", () => {
  const args = ["train", photos, ...small.filter((word) => word !== "--quiet")];

  test("are kept by training, also when it goes on", async () => {
    const groups = folder.at("pairs.json");
    const ids = ["dog/1.png", "dog/2.png", "shoe/3.png"];
    writeFileSync(groups, JSON.stringify({ format: "contrapose-groups", groups: [ids] }));
    const to = folder.at("grouped");
    const called = await contrapose([...args, "--out", to, "--groups", groups]);
    expect(called.code).toBe(0);
    expect(called.err).toContain("groups     2 images more than groups, with those of");
    const config = JSON.parse(readFileSync(join(to, "config.json"), "utf8")) as {
      groups: string;
      about: { dataset: { fingerprint: string } };
    };
    expect(config.groups).toBe(groups);
    const plain = JSON.parse(readFileSync(join(run, "config.json"), "utf8")) as typeof config;
    expect(config.about.dataset.fingerprint).not.toBe(plain.about.dataset.fingerprint);
    const resumed = await contrapose(["train", "--resume", to]);
    expect(resumed.code).toBe(0);
    writeFileSync(groups, JSON.stringify({ format: "contrapose-groups", groups: [] }));
    const changed = await contrapose(["train", "--resume", to]);
    expect(changed.code).not.toBe(0);
  });

  test("are positives of each other with groupPositives, which says where there are none", async () => {
    const groups = folder.at("dogs.json");
    const dogs = Array.from({ length: 8 }, (_, i) => `dog/${i}.png`);
    writeFileSync(groups, JSON.stringify({ format: "contrapose-groups", groups: [dogs] }));
    const to = folder.at("attracted");
    const attracting = [...args, "--samplers", "groupPositives"];
    const called = await contrapose([...attracting, "--out", to, "--groups", groups]);
    expect(called.code).toBe(0);
    expect(called.err).not.toContain("without --groups");
    type Pair = { candidate: { path: string }; reasons: string[] };
    type Anchor = { path: string; positives: Pair[]; negatives: Pair[] };
    const { json } = await contrapose(["inspect", to, "--json"]);
    const { steps } = json() as { steps: { anchors: Anchor[] }[] };
    const anchors = steps.flatMap((step) => step.anchors);
    const isDog = (path: string) => path.startsWith("dog/");
    const others = anchors.flatMap(({ path, positives }) =>
      positives.filter(({ candidate }) => candidate.path !== path),
    );
    expect(others.length).toBeGreaterThan(0);
    for (const { candidate, reasons } of others) {
      expect([candidate.path, reasons]).toEqual([
        expect.stringMatching(/^dog/),
        ["same-group", "group-positive"],
      ]);
    }
    for (const { path, negatives } of anchors.filter((anchor) => isDog(anchor.path))) {
      expect([path, negatives.filter(({ candidate }) => isDog(candidate.path))]).toEqual([
        path,
        [],
      ]);
    }
    const alone = await contrapose([...attracting, "--out", folder.at("alone")]);
    expect(alone.code).toBe(0);
    expect(alone.err).toContain("note       groupPositives without --groups");
  });

  test("of other images are refused", async () => {
    const groups = folder.at("others.json");
    writeFileSync(groups, '{"format": "contrapose-groups", "groups": [["x.png", "y.png"]]}');
    const called = await contrapose([...args, "--out", folder.at("no"), "--groups", groups]);
    expect(called.code).toBe(2);
    expect(called.err).toContain('none of 2 images is in the set, as "x.png"');
  });
});

describe("embeddings that cannot be used say why", () => {
  test("a damaged table", async () => {
    const path = folder.at("cut.parquet");
    cpSync(`${table}.parquet`, path);
    truncateSync(path, 1000);
    const { code, err } = await contrapose(["embed", run, photos, "--out", path]);
    expect(code).toBe(2);
    expect(err).toMatch(/cut\.parquet" is no whole Parquet file/);
    const mended = await contrapose(["embed", run, photos, "--out", path, "--overwrite"]);
    expect(mended.code).toBe(0);
    expect((await readParquetFooter(path)).rows).toBe(16);
    expect(readdirSync(folder.path).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("vectors of another width, no image, another table", async () => {
    const columns = [
      { name: "id", type: "string" },
      { name: "vector", type: "vector" },
    ] as const;
    const path = folder.at("odd.parquet");
    const rows = [
      { id: "a", vector: [1, 2] },
      { id: "b", vector: [1, 2, 3] },
    ];
    await writeParquet(path, columns, rows);
    await expect(readEmbeddings(path)).rejects.toThrow(
      /row 1 has a vector of 3 numbers, expected 2 as in row 0/,
    );
    await writeParquet(path, columns, []);
    await expect(readEmbeddings(path)).rejects.toThrow("holds no image, expected one at least");
    await writeParquet(path, [{ name: "other", type: "string" }], [{ other: "a" }]);
    await expect(readEmbeddings(path)).rejects.toThrow(
      "is no table of embeddings: its columns are other, expected id and vector",
    );
    await expect(readEmbeddings(folder.at("nothing"))).rejects.toThrow("does not exist");
  });
});
