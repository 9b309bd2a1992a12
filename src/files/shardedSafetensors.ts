import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { z } from "zod";

import { parseAs } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import { explained } from "./fileError.ts";
import { readSafetensors, type Safetensors } from "./safetensors.ts";

const name = z.string().refine((file) => basename(file) === file && file.endsWith(".safetensors"), {
  error: "expected the name of a .safetensors file beside it",
});
const Index = z.looseObject({ weight_map: z.record(z.string(), name) });

/** Whether a path names the index of arrays that lie in several files, as `model.safetensors.index.json` of a hub. */
export const isShardIndex = (path: string): boolean => /\.safetensors\.index\.json$/i.test(path);

/** The files beside an index that hold its arrays, each once. Throws `DataError` where it is damaged. */
export async function shardFiles(path: string): Promise<string[]> {
  const text = await explained("read", path, () => readFile(path, "utf8"));
  const origin = { where: quoted(path), hint: "download it again" };
  return [...new Set(Object.values(parseAs(Index, text, origin).weight_map))].sort();
}

/** Reads the arrays of all files that an index names. Damage of any kind is a `DataError` with the path. */
export async function readShards(path: string): Promise<Safetensors> {
  const files = await shardFiles(path);
  const parts: Safetensors[] = [];
  for (const file of files) parts.push(await readSafetensors(join(dirname(path), file)));
  return {
    arrays: Object.fromEntries(parts.flatMap(({ arrays }) => Object.entries(arrays))),
    metadata: {},
  };
}
