import { readFileSync } from "node:fs";

import { z } from "zod";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseJson } from "../core/json.ts";
import { fileError, writeFileAtomic } from "../files/index.ts";

/** A file of groups: images by id that are of one thing, so that training never makes them negatives. */
export type GroupsFile = {
  readonly format: "contrapose-groups";
  readonly images?: string; // where the images are
  readonly groups: readonly (readonly string[])[];
};

/** Writes groups for `contrapose train --groups`. */
export async function writeGroups(
  path: string,
  groups: GroupsFile["groups"],
  images?: string,
): Promise<void> {
  const about = images === undefined ? {} : { images };
  const file: GroupsFile = { format: "contrapose-groups", ...about, groups };
  await writeFileAtomic(path, `${JSON.stringify(file, null, 1)}\n`);
}

const kind = z.object({ format: z.literal("contrapose-groups") });
const written = z.object({ groups: z.array(z.array(z.string())) });

/** Reads groups. Throws `DataError` where the file is of another kind. */
export function readGroups(path: string): GroupsFile["groups"] {
  const fail = (what: string) =>
    new DataError(
      `groups: ${quoted(path)} ${what}, expected {"format": "contrapose-groups", "groups": [["a.jpg", "b.jpg"]]}`,
      "contrapose dedupe --write-groups writes such a file",
    );
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw fileError(error, "read", path);
  }
  let content: unknown;
  try {
    content = parseJson(text);
  } catch {
    throw fail("is no JSON");
  }
  if (!kind.safeParse(content).success) throw fail("is no file of groups");
  const { success, data } = written.safeParse(content);
  if (!success) throw fail("holds no lists of ids");
  return data.groups;
}
