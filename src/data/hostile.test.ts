import { createReadStream, existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { extract } from "tar-stream";
import { expect, test } from "vitest";

import { decodeImage } from "./pixels/decodeImage.ts";
import { detectSource } from "./sources/detectSource.ts";
import { openDataset } from "./packed/openDataset.ts";
import { packDataset } from "./packed/packDataset.ts";
import { inFolder } from "./testing.ts";

const archive = join(import.meta.dirname, "../../../shared/data/hostile.tar");
const present = existsSync(archive);

type Manifest = {
  files: { file: string; expect: "decode" | "reject" | "either"; uprightSize?: [number, number] }[];
};

async function unpack(folder: string): Promise<Manifest> {
  let manifest = "";
  const files = createReadStream(archive).pipe(extract());
  for await (const entry of files) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece as Buffer);
    const name = entry.header.name.replace(/^hostile\//, "");
    if (entry.header.type !== "file") continue;
    if (name === "manifest.json") manifest = Buffer.concat(pieces).toString();
    else {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), Buffer.concat(pieces));
    }
  }
  return JSON.parse(manifest) as Manifest;
}

test.skipIf(!present)(
  "odd, broken and hostile files behave as their manifest says (needs ../shared/data)",
  () =>
    inFolder(async (folder) => {
      const { files } = await unpack(join(folder, "files"));
      expect(files.length).toBe(147);
      const source = await detectSource(join(folder, "files"), { labels: "none" });
      const report = await packDataset(source, join(folder, "packed"), { size: 64 });
      const dataset = await openDataset(join(folder, "packed"));
      const packed = new Map(dataset.ids.map((id, i) => [id, dataset.entry(i)]));
      const skipped = new Map(report.skipped.map(({ path, reason }) => [path, reason]));
      for (const { file, expect: wanted, uprightSize } of files) {
        const entry = packed.get(file);
        if (wanted === "decode") {
          expect([file, entry?.originalWidth, entry?.originalHeight]).toEqual([
            file,
            ...uprightSize!,
          ]);
        } else if (wanted === "reject") {
          expect([file, entry]).toEqual([file, undefined]);
          expect([file, (skipped.get(file) ?? "").length > 5]).toEqual([file, true]);
        } else {
          expect([file, entry === undefined]).toEqual([file, skipped.has(file)]);
        }
      }
      dataset.close();
    }),
);

test.skipIf(!present)(
  "files to be decoded have their upright size when decoded whole (needs ../shared/data)",
  () =>
    inFolder(async (folder) => {
      const { files } = await unpack(folder);
      for (const { file, uprightSize } of files.filter((entry) => entry.expect === "decode")) {
        const { image } = await decodeImage(join(folder, file));
        expect([file, image.width, image.height]).toEqual([file, ...uprightSize!]);
        expect(image.data.length).toBe(3 * image.width * image.height);
      }
    }),
);

test.skipIf(!present)("strict packing names the first bad file (needs ../shared/data)", () =>
  inFolder(async (folder) => {
    const { files } = await unpack(join(folder, "files"));
    const source = await detectSource(join(folder, "files"));
    const packing = packDataset(source, join(folder, "packed"), { size: 64, strict: true });
    const error = await packing.then(
      () => undefined,
      (failure: Error) => failure,
    );
    expect(error?.name).toBe("DataError");
    const named = files.filter(({ file }) => error?.message.includes(JSON.stringify(file)));
    expect(named.length).toBe(1);
    expect(named[0].expect).not.toBe("decode");
  }),
);
