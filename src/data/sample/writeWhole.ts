import { open, rename } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

async function replace(path: string, fill: (file: FileHandle) => Promise<void>, sync: boolean) {
  const unfinished = join(dirname(path), `.${basename(path)}.part`);
  const file = await open(unfinished, "w");
  try {
    await fill(file);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** Writes a file so that it is there whole or not at all; `sync` makes that hold over a power cut. */
export async function writeWhole(
  path: string,
  content: Uint8Array | string,
  sync = false,
): Promise<void> {
  await replace(path, (file) => file.writeFile(content), sync);
}

/** Writes values as lines of JSON, so that the file is there whole or not at all. */
export async function writeLines(path: string, values: Iterable<unknown>): Promise<void> {
  const fill = async (file: FileHandle) => {
    let lines: string[] = [];
    for (const value of values) {
      lines.push(JSON.stringify(value));
      if (lines.length < 1000) continue;
      await file.writeFile(`${lines.join("\n")}\n`);
      lines = [];
    }
    if (lines.length > 0) await file.writeFile(`${lines.join("\n")}\n`);
  };
  await replace(path, fill, true);
}
