import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { float32 } from "../testing/arrays.ts";
import { writeSafetensors } from "./safetensors.ts";
import { isShardIndex, readShards } from "./shardedSafetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-shards-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const index = join(folder, "model.safetensors.index.json");
const write = (map: object) => writeFileSync(index, JSON.stringify({ weight_map: map }));

test("reads the arrays of every file that an index names", async () => {
  expect(isShardIndex(index)).toBe(true);
  await writeSafetensors(join(folder, "1.safetensors"), { a: float32([2], [1, 2]) });
  await writeSafetensors(join(folder, "2.safetensors"), { b: float32([1], [3]) });
  write({ a: "1.safetensors", b: "2.safetensors" });
  const { arrays } = await readShards(index);
  expect([[...arrays.a.data], [...arrays.b.data]]).toEqual([[1, 2], [3]]);
});

test("refuses files elsewhere, names one that is missing, and damage", async () => {
  write({ a: "../1.safetensors" });
  await expect(readShards(index)).rejects.toThrow("expected the name of a .safetensors file");
  write({ a: "3.safetensors" });
  await expect(readShards(index)).rejects.toThrow("3.safetensors");
  writeFileSync(index, "{}");
  await expect(readShards(index)).rejects.toThrow("weight_map");
});
