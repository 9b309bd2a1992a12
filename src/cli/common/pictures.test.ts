import { join } from "node:path";

import { expect, test } from "vitest";

import { detectSource, packDataset } from "../../data/index.ts";
import { blobs, inFolder, writeFiles } from "../../data/testing.ts";
import { openPictures } from "./pictures.ts";

test("pictures are read from the files one by one, not all into memory", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { "in/a.png": blobs(1), "in/b.png": blobs(2) });
    const packed = join(folder, "out");
    await packDataset(await detectSource(join(folder, "in")), packed);
    const pictures = await openPictures({ images: join(folder, "in"), packed });
    const image = { id: "b.png", path: "b.png", group: 0, width: 48, height: 48, content: "" };
    expect(pictures.dataset!.pixels.kind).toBe("files");
    expect((await pictures.pixels(image))!.data.length).toBe(3 * 48 * 48);
    pictures.close();
  }));
