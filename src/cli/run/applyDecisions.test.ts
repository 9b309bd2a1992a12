import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { alone, leading } from "../../ranks/index.ts";
import { type Decision, writeDecisions } from "../../inference/decisionsFile.ts";
import { valueReader } from "../common/values.ts";
import { createPrinter } from "../printer.ts";
import type { OptionValues } from "../verb.ts";
import { runApply } from "./applyDecisions.ts";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const photo = (name: string) => at("photos", name);
const list = () => at("d.undo.jsonl");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "contrapose-"));
  mkdirSync(at("photos", "sub"), { recursive: true });
  for (const [name, text] of [
    ["a.jpg", "same"],
    ["sub/b.jpg", "same"],
    ["c.jpg", "other"],
    ["odd.jpg", "odd"],
  ]) {
    writeFileSync(photo(name), text);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const decisions: Decision[] = [
  { choice: "keep", keep: "a.jpg", images: ["a.jpg", "sub/b.jpg", "c.jpg"] },
  { choice: "aside", images: ["odd.jpg"] },
];

async function apply(options: OptionValues, made = decisions) {
  await writeDecisions(at("d.json"), { images: at("photos"), decisions: made });
  const printer = createPrinter({ json: true, quiet: true, environment: {} });
  const { signal } = new AbortController();
  const leader = leading(alone);
  const call = { words: [], specs: [], printer, signal, saves: () => undefined, options, leader };
  return runApply(call, valueReader("dedupe", options));
}
const asked = (more: OptionValues = {}) => ({ apply: at("d.json"), ...more });

test("says what may go and changes nothing", async () => {
  expect(await apply(asked())).toMatchObject({
    mayGo: ["sub/b.jpg", "c.jpg", "odd.jpg"],
    done: [],
  });
  expect(["a.jpg", "sub/b.jpg", "c.jpg", "odd.jpg"].every((name) => existsSync(photo(name)))).toBe(
    true,
  );
  expect(existsSync(list())).toBe(false);
});

test("moves what may go, keeps its sub-folders, and takes it back", async () => {
  await apply(asked({ move: at("gone") }));
  expect(existsSync(photo("a.jpg"))).toBe(true);
  expect(readFileSync(at("gone", "sub", "b.jpg"), "utf8")).toBe("same");
  expect(existsSync(photo("c.jpg")) || existsSync(photo("odd.jpg"))).toBe(false);
  expect(await apply({ undo: list() })).toMatchObject({ undone: 3, left: [] });
  expect(readFileSync(photo("sub/b.jpg"), "utf8")).toBe("same");
  expect(existsSync(at("gone", "odd.jpg"))).toBe(false);
});

test("links only files of the very same bytes, and makes them two again", async () => {
  const answer = await apply(asked({ hardLink: true }));
  expect(answer.left).toMatchObject([{ id: "c.jpg" }, { id: "odd.jpg" }]);
  expect(statSync(photo("sub/b.jpg")).ino).toBe(statSync(photo("a.jpg")).ino);
  await apply({ undo: list() });
  expect(statSync(photo("sub/b.jpg")).ino).not.toBe(statSync(photo("a.jpg")).ino);
  expect(readFileSync(photo("sub/b.jpg"), "utf8")).toBe("same");
});

test("replaces nothing, and does nothing where one image is not there or leads elsewhere", async () => {
  mkdirSync(at("gone"));
  writeFileSync(at("gone", "c.jpg"), "mine");
  await expect(apply(asked({ move: at("gone") }))).rejects.toThrow("exists, nothing is replaced");
  expect(readFileSync(at("gone", "c.jpg"), "utf8")).toBe("mine");
  writeFileSync(at("secret.jpg"), "secret");
  symlinkSync(at("secret.jpg"), photo("link.jpg"));
  for (const id of ["../secret.jpg", "link.jpg", "none.jpg"]) {
    const made: Decision[] = [{ choice: "aside", images: ["odd.jpg", id] }];
    await expect(apply(asked({ move: at("other") }), made)).rejects.toThrow(/secret|link|none/);
    expect(existsSync(at("secret.jpg"))).toBe(true);
    expect(existsSync(at("other"))).toBe(false);
  }
});
