import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "vitest";

import { detectSource } from "../sources/detectSource.ts";
import { encodePng } from "../pixels/encodeImage.ts";
import { isPackedDataset, openDataset } from "./openDataset.ts";
import { packDataset } from "./packDataset.ts";
import { blobs, inFolder, writeFiles } from "../testing.ts";

const built = join(import.meta.dirname, "../../../dist/data/index.js");

/** Packs in a process of its own that is killed as soon as `done` images are through; true where it was. */
function packAndKill(folder: string, done: number): Promise<boolean> {
  const code = `
    import { detectSource, packDataset } from ${JSON.stringify(pathToFileURL(built).href)};
    const source = await detectSource(${JSON.stringify(join(folder, "in"))});
    const onProgress = (progress) => console.log(progress.done);
    await packDataset(source, ${JSON.stringify(join(folder, "out"))}, { size: 64, parallel: 1 }, { onProgress });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
    if (text.split("\n").some((line) => Number(line) >= done)) child.kill("SIGKILL");
  });
  return new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal === "SIGKILL")));
}

test.skipIf(!existsSync(built))(
  "packing killed twice goes on and ends as if it had not been (needs npm run build)",
  () =>
    inFolder(async (folder) => {
      const pictures = await Promise.all(
        Array.from({ length: 7 }, (_, seed) => encodePng(blobs(seed, 280, 210))),
      );
      const files = Array.from({ length: 260 }, (_, i) => {
        return [`in/${String(i).padStart(3, "0")}.png`, pictures[i % 7]] as const;
      });
      await writeFiles(folder, Object.fromEntries(files));
      expect(await packAndKill(folder, 120)).toBe(true);
      expect(await isPackedDataset(join(folder, "out"))).toBe(false);
      expect(await packAndKill(folder, 200)).toBe(true);
      const source = await detectSource(join(folder, "in"));
      const report = await packDataset(source, join(folder, "out"), { size: 64 });
      expect(report.images).toBe(260);
      expect(report.kept).toBeGreaterThan(20);
      await packDataset(source, join(folder, "whole"), { size: 64 });
      const [out, whole] = await Promise.all(
        ["out", "whole"].map((name) => openDataset(join(folder, name))),
      );
      expect(out.fingerprint).toBe(whole.fingerprint);
      for (const i of [0, 99, 180, 259]) {
        expect(Buffer.compare(out.image(i).data, whole.image(i).data)).toBe(0);
      }
    }),
);
