import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { PixelImage } from "../src/core/pixels.ts";
import { encodePng } from "../src/data/index.ts";
import { blobs } from "../src/data/testing.ts";
import { readNpy, readParquet, readParquetFooter, writeParquet } from "../src/files/index.ts";
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
    expect(err).toContain("as in --size 224 --mean");
  });

  test("works where the user says it", async () => {
    const stated = ["--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25"];
    const { code, json } = await contrapose([...args(), ...stated, "--json"]);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ images: 16 });
  });

  test("checks what the user says", async () => {
    const wrong = await contrapose([...args(), "--mean", "0.5,a", "--size", "0"]);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/--size: expected .*\n.*--mean: expected numbers/);
    const size = await contrapose([...args(), "--mean", "0,0,0", "--std", "1,1,1", "--size", "64"]);
    expect(size.err).toMatch(/--size: .* takes float32 \[batch, 3, 32, 32\], not images of 64 px/);
  });

  test("is refused where it is no model at all", async () => {
    const broken = folder.at("broken.onnx");
    writeFileSync(broken, "no model");
    const { code, err } = await contrapose(["embed", broken, photos]);
    expect(code).toBe(2);
    expect(err).toContain("it is no ONNX model, or it is cut short");
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
    const { readEmbeddings } = await import("../src/store/index.ts");
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
