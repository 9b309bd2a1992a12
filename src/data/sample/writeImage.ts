import { open, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { explained } from "../../files/fileError.ts";

/**
 * Writes one of many files of a folder so that it is there whole or not at all.
 *
 * Unlike `writeFileAtomic` it does not look through the folder for what earlier processes left, which
 * takes the longer the more files there are: the temporary name is always the same, so that drawing
 * the image again replaces it.
 */
export async function writeImage(path: string, content: Uint8Array): Promise<void> {
  const unfinished = join(dirname(path), `.${basename(path)}.part`);
  await explained("write", path, async () => {
    const file = await open(unfinished, "w");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  });
}
