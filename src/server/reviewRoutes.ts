import { basename, dirname, join } from "node:path";

import type { Context, Hono } from "hono";
import { z } from "zod";

import { parseAs } from "../core/json.ts";
import { strictnesses } from "../data/index.ts";
import {
  Decision,
  readDecisions,
  withDecision,
  withoutDecision,
  writeDecisions,
} from "../inference/decisionsFile.ts";
import { packedIn } from "../inference/index.ts";
import { readEmbeddedImages } from "../store/index.ts";
import type { Galleries, Gallery } from "./galleries.ts";
import { idsLimit, messageLimit } from "./guard.ts";
import type { Jobs } from "./jobs.ts";
import type { Watch } from "./overview.ts";
import { gone } from "./runRoutes.ts";
import type { AlikeImages, OddImage, Review } from "./wire.ts";

const Asked = z.strictObject({ strictness: z.enum(strictnesses).exactOptional() });
const Change = z.union([
  z.strictObject({ decide: Decision }),
  z.strictObject({ undo: z.array(z.string()).min(1) }),
]);

/** What `dedupe --json` prints, as far as the page shows it. */
const Duplicates = z.object({
  groups: z.array(
    z.object({
      kind: z.string(),
      images: z.array(
        z.object({
          id: z.string(),
          width: z.number(),
          height: z.number(),
          change: z.string().nullable(),
        }),
      ),
    }),
  ),
});

/** What `outliers --json` prints. */
const Outliers = z.object({
  limit: z.number(),
  outliers: z.array(
    z.object({
      id: z.string(),
      score: z.number(),
      nearest: z.object({ id: z.string(), similarity: z.number() }).nullable(),
    }),
  ),
});

const MOST = 500; // odd images shown

/** Where the decisions about images stand, and where the images are. */
type Subject = { readonly path: string; readonly file: string; readonly words: readonly string[] };

/** Decisions about the images of a place, kept in a file beside it. */
function subjectOf(watch: Watch, id: string): Subject | undefined {
  const { tables, images, roots } = watch.places();
  const [table, folder] = [tables.get(id), images.get(id)];
  if (table !== undefined) {
    const file = table.path.replace(/\.parquet$/, ".decisions.json");
    return { path: table.path, file, words: [table.path] };
  }
  if (folder === undefined) return undefined;
  const root = roots[0] === folder.path ? dirname(folder.path) : roots[0];
  const file = join(root, `${basename(folder.path)}.decisions.json`);
  return { path: folder.path, file, words: [folder.path, "--cache", packedIn(roots[0])] };
}

/** Groups as the page shows them, of the images that are there. */
const groupsOf = ({ groups }: z.output<typeof Duplicates>, gallery: Gallery): AlikeImages[] =>
  groups.map(({ kind, images }) => ({
    kind,
    images: images.flatMap((image) => {
      const row = gallery.rowOf(image.id);
      return row === undefined ? [] : [{ ...image, row, label: gallery.labelOf(row) }];
    }),
  }));

/** Odd images as the page shows them, the oddest first. */
const oddOf = ({ outliers, limit }: z.output<typeof Outliers>, gallery: Gallery): OddImage[] =>
  outliers.slice(0, MOST).flatMap(({ id, score, nearest }) => {
    const row = gallery.rowOf(id);
    if (row === undefined) return [];
    const near = nearest && {
      row: gallery.rowOf(nearest.id) ?? -1,
      similarity: nearest.similarity,
    };
    return [{ row, id, score, odd: score > limit, near, label: gallery.labelOf(row) }];
  });

/** What the page asks of duplicates and of odd images. */
export function addReview(app: Hono, watch: Watch, jobs: Jobs, galleries: Galleries): void {
  const latest = new Map<string, string>(); // jobs by what they look for
  const start = (what: "dedupe" | "outliers", id: string, words: readonly string[]) => {
    const title = what === "dedupe" ? "Looking for duplicates" : "Looking for odd images";
    const page = jobs.scratch(`${what}-${id}.html`);
    const all = [...words, "--out", page, "--overwrite"];
    const job = jobs.start({ verb: what, words: all, title, about: id });
    latest.set(`${what} ${id}`, job.id);
    return job;
  };
  const found = <T>(what: string, id: string, schema: z.ZodType<T>): T | undefined => {
    const answer = jobs.answer(latest.get(`${what} ${id}`) ?? "");
    const read = schema.safeParse(answer);
    return read.success ? read.data : undefined;
  };
  app.get("/api/places/:place/review", async (c) => {
    const id = c.req.param("place");
    const subject = subjectOf(watch, id);
    if (subject === undefined) return gone(c, "set of images");
    const gallery = (await galleries.of(id))!;
    const [alike, odd] = [found("dedupe", id, Duplicates), found("outliers", id, Outliers)];
    const { decisions } = await readDecisions(subject.file);
    const answer: Review = {
      name: basename(subject.path).replace(/\.parquet$/, ""),
      file: subject.file,
      count: gallery.count,
      isTable: watch.places().tables.has(id),
      groups: alike && groupsOf(alike, gallery),
      odd: odd && oddOf(odd, gallery),
      decisions,
    };
    return c.json(answer);
  });
  app.post("/api/places/:place/duplicates", messageLimit, async (c) => {
    const id = c.req.param("place");
    const subject = subjectOf(watch, id);
    if (subject === undefined) return gone(c, "set of images");
    const { strictness = "normal" } = await bodyOf(c, Asked);
    return c.json(start("dedupe", id, [...subject.words, "--strictness", strictness]));
  });
  app.post("/api/places/:place/outliers", (c) => {
    const id = c.req.param("place");
    const table = watch.places().tables.get(id);
    return table === undefined ? gone(c, "table") : c.json(start("outliers", id, [table.path]));
  });
}

/** What the page asks to write down. */
export function addDecisions(app: Hono, watch: Watch, galleries: Galleries): void {
  let writing = Promise.resolve();
  app.post("/api/places/:place/decisions", idsLimit, async (c) => {
    const id = c.req.param("place");
    const subject = subjectOf(watch, id);
    if (subject === undefined) return gone(c, "set of images");
    const change = await bodyOf(c, Change);
    const gallery = (await galleries.of(id))!;
    const named = "decide" in change ? change.decide.images : change.undo;
    if (named.some((one) => gallery.rowOf(one) === undefined)) return gone(c, "image");
    if ("decide" in change && change.decide.keep !== undefined) {
      if (!named.includes(change.decide.keep)) return gone(c, "image in this group");
    }
    const write = async () => {
      const { decisions } = await readDecisions(subject.file);
      const next =
        "decide" in change
          ? withDecision(decisions, change.decide)
          : withoutDecision(decisions, change.undo);
      await writeDecisions(subject.file, { images: await imagesOf(watch, id), decisions: next });
      return next;
    };
    const written = writing.then(write);
    writing = written.then(
      () => undefined,
      () => undefined,
    );
    return c.json({ decisions: await written });
  });
}

/** The folder of the images of a place. */
async function imagesOf(watch: Watch, id: string): Promise<string> {
  const { tables, images } = watch.places();
  const table = tables.get(id);
  if (table === undefined) return images.get(id)!.path;
  return (await readEmbeddedImages(table.path)).facts.images ?? table.path;
}

/** The body of a request, of a known structure. Throws `DataError` where it is of another. */
async function bodyOf<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  return parseAs(schema, await c.req.text(), { where: "the request" });
}
