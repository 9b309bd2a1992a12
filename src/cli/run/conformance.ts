import {
  type CaseResult,
  checkCases,
  checkStarts,
  ownCasesPath,
  readCases,
  START_TOLERANCE,
  type StartResult,
} from "../../conformance/index.ts";
import type { Loss } from "../../losses/index.ts";
import { catalogues, isOwn } from "../../frameworks/index.ts";
import type { Mixer, Sampler } from "../../sampling/index.ts";
import { checkPart } from "../../testing/index.ts";
import type { Answer, Call } from "../verb.ts";
import { valueReader } from "../common/values.ts";

/** An error as a share of its tolerance, with two digits: `0.056`. */
const shareOf = (error: number): string => String(Number(error.toPrecision(2)));

/** The line of one case: `ok    ntXent/two-views   0.056`. */
function lineOf({ id, pass, error, message }: CaseResult, width: number): string {
  const head = `${pass ? "ok   " : "FAIL "} ${id.padEnd(width)}`;
  const size = error === null ? "" : shareOf(error);
  return pass ? `${head}  ${size}` : `${head}  ${message}`;
}

function summaryOf(results: readonly CaseResult[], device: string): string {
  const passed = results.filter(({ pass }) => pass).length;
  const errors = results.flatMap(({ pass, error }) => (pass && error !== null ? [error] : []));
  const type = device === "reference" ? "float64" : "float32";
  const worst =
    errors.length === 0
      ? ""
      : `; largest error ${shareOf(Math.max(...errors))} of its tolerance where they agree`;
  return `${passed} of ${results.length} cases agree on ${device} (${type})${worst}`;
}

/** The line of one encoder, size and way: `ok    timm--vit  64 px  weights    1.2e-7`. */
function startLine({ name, size, way, pass, error, message }: StartResult): string {
  const head = `${pass ? "ok   " : "FAIL "} ${name.padEnd(24)} ${String(size).padStart(4)} px  ${way.padEnd(9)}`;
  return pass ? `${head}  ${(error ?? 0).toExponential(1)}` : `${head}  ${message}`;
}

/** Checks pretrained encoders of a folder. */
async function runStarts(folder: string, { printer, signal }: Call): Promise<Answer> {
  const each = (result: StartResult) => printer.say(startLine(result));
  const results = await checkStarts(folder, { each, signal });
  const passed = results.filter(({ pass }) => pass).length;
  printer.say();
  printer.say(`${passed} of ${results.length} agree to ${START_TOLERANCE} of the largest feature`);
  return { folder, passed, failed: results.length - passed, starts: results };
}

const checked = ["loss", "sampler", "mixer"] as const;

/** Checks losses, samplers and mixers of plugins against their contracts. */
async function checkOwn({
  printer,
  options,
}: Call): Promise<{ name: string; breaches: string[] }[]> {
  if (options.plugin === undefined) return [];
  const all = checked.flatMap((kind) => Object.values<Loss | Sampler | Mixer>(catalogues[kind]));
  const results = [];
  for (const part of all.filter(isOwn)) {
    const breaches = await checkPart(part);
    const name = `${part.kind} ${part.name}`;
    printer.say(
      `${breaches.length === 0 ? "ok   " : "FAIL "} ${name}: ${breaches.join("; ") || "keeps its contract"}`,
    );
    results.push({ name, breaches });
  }
  printer.say();
  return results;
}

/** Checks the cases of files, or those of the package, or the pretrained encoders of a folder. */
export async function runConformance(call: Call): Promise<Answer> {
  const { words, options, printer, signal } = call;
  const values = valueReader("conformance", options);
  const starts = values.text("starts");
  const device = values.text("device") ?? "cpu";
  values.check();
  if (starts !== undefined) return runStarts(starts, call);
  const files = words.length > 0 ? words : [ownCasesPath()];
  const own = await checkOwn(call);
  const read = await Promise.all(
    files.map(async (file) => ({ file, cases: await readCases(file) })),
  );
  const all: (CaseResult & { file: string })[] = [];
  for (const { file, cases } of read) {
    if (files.length > 1) printer.say(file);
    const width = Math.max(...cases.map(({ id }) => id.length));
    const results = await checkCases(cases, {
      device,
      signal,
      each: (result) => printer.say(lineOf(result, width)),
    });
    all.push(...results.map((result) => ({ file, ...result })));
  }
  printer.say();
  printer.say(summaryOf(all, device));
  const passed = all.filter(({ pass }) => pass).length;
  const broken = own.filter(({ breaches }) => breaches.length > 0).length;
  return { device, passed, failed: all.length - passed + broken, cases: all, own };
}
