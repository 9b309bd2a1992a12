import { isAbsolute, relative, resolve, sep } from "node:path";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

/** The path of a file in a folder. Throws `DataError` where the name leads out of the folder. */
export function insideFolder(folder: string, name: string): string {
  const path = resolve(folder, name);
  const way = relative(resolve(folder), path);
  const out = way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way) || isAbsolute(name);
  if (!out && !name.includes("\0")) return path;
  throw new DataError(
    `${quoted(name)} leads outside the folder ${quoted(folder)}`,
    "paths of images are given from their folder",
  );
}
