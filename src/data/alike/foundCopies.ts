import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { parseJson } from "../../core/json.ts";
import { writeFileAtomic } from "../../files/index.ts";
import { SEARCH } from "./copies/findCopies.ts";
import type { Portrait, PortraitOf } from "./copies/portrait.ts";
import type { Pair } from "./copies/prove.ts";
import type { StoredImage } from "../packed/packedIndex.ts";

/** What of a portrait says which of two copies is the one to keep, and how they differ. */
export type Traits = Pick<Portrait, "content" | "colour">;

/** What packing found of copies, by numbers of images. */
export type FoundCopies = {
  readonly traits: readonly Traits[]; // of each image
  readonly links: readonly Pair[]; // as `findCopies` gives them
};

/** Name of the file in a packed dataset that keeps what was found, so that `dedupe` need not search again. */
export const foundName = "copies.json";

const share = z.number().min(0).max(1);
const windowOf = z.tuple([share, share, share, share]);
const found: z.ZodType<FoundCopies> = z.object({
  traits: z.array(z.object({ content: windowOf, colour: z.number().min(0).max(255) })),
  links: z.array(
    z.object({
      a: z.int().min(0),
      b: z.int().min(0),
      likeness: z.number(),
      agreement: z.number(),
      texture: z.number(),
      greys: z.tuple([z.number(), z.number()]),
      overlay: z.object({ turn: z.int().min(0).max(7), ours: windowOf, theirs: windowOf }),
    }),
  ),
});

/** A text that no other pixels, program or damaged file has. */
function sealOf(images: readonly StoredImage[], text: string): string {
  const numbers = images.flatMap(({ crc, width, height }) => [crc, width, height]);
  const hash = createHash("sha256").update(`${SEARCH}\n`).update(Uint32Array.from(numbers));
  return hash.update(text).digest("hex");
}

/** Keeps what was found of the images of a packed dataset beside them. */
export async function keepFound(
  folder: string,
  images: readonly StoredImage[],
  { links, portraitOf }: { links: readonly Pair[]; portraitOf: PortraitOf },
): Promise<void> {
  const traits = images.map((_, i): Traits => {
    const { content, colour } = portraitOf(i);
    return { content, colour };
  });
  const text = JSON.stringify({ traits, links } satisfies FoundCopies);
  await writeFileAtomic(join(folder, foundName), `${sealOf(images, text)}\n${text}\n`);
}

/** What was found of just these images; undefined where nothing is kept, or it is of others or damaged. */
export async function keptFound(
  folder: string,
  images: readonly StoredImage[],
): Promise<FoundCopies | undefined> {
  const file = await readFile(join(folder, foundName), "utf8").catch(() => "");
  const [seal, text = ""] = file.split("\n");
  if (seal !== sealOf(images, text)) return undefined;
  const { success, data } = found.safeParse(parseJson(text));
  const isImage = (i: number) => i < images.length;
  const whole =
    success &&
    data.traits.length === images.length &&
    data.links.every(({ a, b }) => isImage(a) && isImage(b));
  return whole ? data : undefined;
}
