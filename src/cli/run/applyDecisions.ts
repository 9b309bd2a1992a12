import {
  copyFileSync,
  existsSync,
  linkSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, relative, resolve } from "node:path";

import { z } from "zod";

import { ConfigError, DataError } from "../../core/errors.ts";
import { harmless, quoted } from "../../core/quote.ts";
import {
  appendLine,
  fileError,
  insideFolder,
  makeFolder,
  readJsonLines,
} from "../../files/index.ts";
import { type Decision, readDecisions } from "../../inference/decisionsFile.ts";
import { counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import type { ValueReader } from "../common/values.ts";

const Done = z.object({
  did: z.enum(["move", "link"]),
  from: z.string(), // where the image was
  to: z.string(), // where it is, or the file that it shares its bytes with
});
type Done = z.output<typeof Done>;

/** An image that may go, and the one that stays in its place. */
type Going = { readonly id: string; readonly stays: string | undefined };

/** The images that may go by some decisions, each once. */
function goingOf(decisions: readonly Decision[]): Going[] {
  const going = new Map<string, Going>();
  for (const { choice, images, keep } of decisions) {
    if (choice === "aside") for (const id of images) going.set(id, { id, stays: undefined });
    if (choice !== "keep") continue;
    const stays = keep ?? images[0];
    for (const id of images) if (id !== stays) going.set(id, { id, stays });
  }
  return [...going.values()];
}

/** The file of an image. Throws where it is none of the folder, a link that leads out of it included. */
function fileOf(folder: string, id: string): string {
  const path = insideFolder(folder, id);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new DataError(
      `dedupe: ${quoted(id)} is no file in ${quoted(folder)}`,
      "it went since, or the images lie in an archive, which is not changed",
    );
  }
  const real = realpathSync(folder);
  insideFolder(real, relative(real, realpathSync(path)));
  return path;
}

/** Moves a file where nothing is, to another disk too. */
function move(from: string, to: string): void {
  makeFolder(dirname(to));
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw fileError(error, "write", to);
    copyFileSync(from, to);
    rmSync(from);
  }
}

/** Puts at a path what `make` makes beside it, so that it is there at every moment. */
function replace(path: string, make: (fresh: string) => void): void {
  const fresh = `${path}.${process.pid}.part`;
  try {
    make(fresh);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw fileError(error, "write", path);
  }
}

const sameBytes = (a: string, b: string): boolean =>
  statSync(a).size === statSync(b).size && readFileSync(a).equals(readFileSync(b));

/** Takes back, latest first, what a list says was done. */
async function undo(list: string, { printer }: Call): Promise<Answer> {
  if (!existsSync(list)) throw new ConfigError(`dedupe: ${quoted(list)} does not exist`);
  const done = await readJsonLines(list, Done);
  const left: string[] = [];
  let back = 0;
  for (const { did, from, to } of done.toReversed()) {
    const possible = existsSync(to) && (did === "link" ? existsSync(from) : !existsSync(from));
    if (!possible) left.push(from);
    else if (did === "move") move(to, from);
    else replace(from, (fresh) => copyFileSync(to, fresh));
    if (possible) back++;
  }
  if (left.length === 0) renameSync(list, `${list}.undone`);
  for (const path of left) printer.say(`left       ${harmless(path)}: it is not as it was left`);
  printer.say(`undone     ${counted(back, "image")} of ${counted(done.length, "image")}`);
  return { undone: back, left };
}

type Way = { readonly target: string | undefined; readonly link: boolean };

/** Does what was decided to one image; what was done, or why it was left. */
function apply({ id, stays }: Going, folder: string, { target, link }: Way): Done | string {
  const from = fileOf(folder, id);
  const kept = stays === undefined ? undefined : fileOf(folder, stays);
  if (target !== undefined) {
    const to = insideFolder(target, id);
    if (existsSync(to)) throw new DataError(`dedupe: ${quoted(to)} exists, nothing is replaced`);
    return { did: "move", from, to };
  }
  if (!link) return "";
  if (kept === undefined) return "it is put aside, which a link does not do";
  const [a, b] = [statSync(from), statSync(kept)];
  if (a.dev === b.dev && a.ino === b.ino) return "it is the same file already";
  return sameBytes(from, kept)
    ? { did: "link", from, to: kept }
    : "its bytes are not those of the one that stays";
}

/** Whether a call of dedupe is about what was decided before. */
export const isAboutDecisions = ({ options }: Call): boolean =>
  ["apply", "undo", "move", "hardLink"].some((name) => options[name] !== undefined);

/** What is asked for: the decisions, their images, and what is done to those that may go. */
async function askedOf({ words, options }: Call, values: ValueReader) {
  const path = values.text("apply");
  if (path === undefined) {
    throw new ConfigError(
      "dedupe: --move and --hard-link belong to --apply",
      "as in contrapose dedupe ./photos --apply photos.decisions.json --move ./duplicates",
    );
  }
  if (!existsSync(path)) throw new ConfigError(`--apply: ${quoted(path)} does not exist`);
  const { decisions, images } = await readDecisions(path);
  const folder = words[0] ?? images;
  if (folder === undefined || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    const what =
      folder === undefined
        ? "where the images are is not said"
        : `${quoted(folder)} is no folder of images`;
    throw new ConfigError(`dedupe: ${what}`, `as in contrapose dedupe ./photos --apply ${path}`);
  }
  const place = values.text("move");
  const target = place === undefined ? undefined : resolve(place);
  const way: Way = { target, link: options.hardLink === true };
  if (target !== undefined && way.link) {
    throw new ConfigError("dedupe: --move and --hard-link exclude each other");
  }
  return { path, decisions, folder, way, does: target !== undefined || way.link };
}

/** Takes one step after it was noted. */
function take(step: Done, notes: string): void {
  appendLine(notes, step);
  if (step.did === "move") move(step.from, step.to);
  else replace(step.from, (fresh) => linkSync(step.to, fresh));
}

/** Prints what was decided about images, or does it, noting each step before it is taken. */
export async function runApply(call: Call, values: ValueReader): Promise<Answer> {
  const { printer } = call;
  const list = values.text("undo");
  if (list !== undefined) return undo(list, call);
  const { path, decisions, folder, way, does } = await askedOf(call, values);
  const going = goingOf(decisions);
  for (const one of going) apply(one, folder, way); // all is looked at before anything is done
  const notes = `${path.replace(/\.json$/, "")}.undo.jsonl`;
  const done: Done[] = [];
  const left: { id: string; why: string }[] = [];
  for (const one of going) {
    const step = apply(one, folder, way);
    const { id, stays } = one;
    const because = stays === undefined ? "odd" : `${harmless(stays)} stays`;
    if (typeof step === "string") {
      if (does) left.push({ id, why: step });
      printer.say(`${does ? "left  " : "may go"}     ${harmless(id)}: ${step || because}`);
      continue;
    }
    take(step, notes);
    done.push(step);
    printer.say(`${step.did === "move" ? "moved " : "linked"}     ${harmless(id)}: ${because}`);
  }
  const counts = `${counted(decisions.length, "decision")}, ${counted(going.length, "image")} may go`;
  printer.say(`decided    ${counts}`);
  if (does) {
    printer.say(
      `done       ${counted(done.length, "image")}, ${counted(left.length, "image")} left`,
    );
  } else {
    printer.say(
      "nothing was changed: --move FOLDER puts them there, --hard-link keeps equal files once",
    );
  }
  if (done.length > 0) printer.say(`undo       contrapose dedupe --undo ${notes}`);
  const mayGo = going.map(({ id }) => id);
  return { images: folder, mayGo, done, left, undo: done.length > 0 ? notes : null };
}
