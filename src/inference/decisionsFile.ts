import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { parseAs } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import { fileError, writeFileAtomic } from "../files/index.ts";

/** What somebody decided about images that look alike, or about one that looks like none. */
export const Decision = z.strictObject({
  /**
   * `keep`: one image is enough, the others may go; `group`: all stay, of one thing; `ignore`: they are not of one thing;
   * `aside`: an odd image is put aside; `fine`: it belongs here.
   */
  choice: z.enum(["keep", "group", "ignore", "aside", "fine"]),
  images: z.array(z.string().min(1).max(4096)).min(1).max(10_000).describe("ids"),
  keep: z.string().min(1).max(4096).exactOptional().describe("the one that stays, with keep"),
});
export type Decision = z.output<typeof Decision>;

const Written = z.object({
  format: z.literal("contrapose-groups"),
  images: z.string().exactOptional(),
  decisions: z.array(Decision),
});

/** Decisions, with the place of the images that they are about. */
export type Decisions = { readonly images?: string; readonly decisions: readonly Decision[] };

/** What a decision is about: another choice for the same images takes its place. */
const subject = ({ images }: Decision): string => JSON.stringify([...images].sort());

/** Decisions with one more; the earlier one about the same images goes. */
export function withDecision(all: readonly Decision[], added: Decision): Decision[] {
  return [...withoutDecision(all, added.images), added];
}

/** Decisions without that about some images. */
export function withoutDecision(all: readonly Decision[], images: readonly string[]): Decision[] {
  const about = subject({ choice: "ignore", images: [...images] });
  return all.filter((one) => subject(one) !== about);
}

/** Reads a file of decisions; none where there is no such file. Throws `DataError` where it is of another kind. */
export async function readDecisions(path: string): Promise<Decisions> {
  if (!existsSync(path)) return { decisions: [] };
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  const hint = "the studio writes such a file when duplicates are looked through";
  return parseAs(Written, text, { where: `decisions: ${quoted(path)}`, hint });
}

/** Writes decisions as a file that `train --groups` reads too: images that are of one thing are its groups. */
export async function writeDecisions(
  path: string,
  { images, decisions }: Decisions,
): Promise<void> {
  const together = decisions.filter(({ choice }) => choice === "keep" || choice === "group");
  const groups = together.map((decision) => decision.images);
  const about = images === undefined ? {} : { images };
  const file = { format: "contrapose-groups", ...about, groups, decisions };
  await writeFileAtomic(path, `${JSON.stringify(file, null, 1)}\n`);
}
