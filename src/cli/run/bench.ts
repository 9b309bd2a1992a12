import { availableParallelism } from "node:os";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";
import {
  benchMethods,
  benchStep,
  type MethodName,
  methodNames,
  valueOf,
} from "../../train/index.ts";
import { benchViews } from "../../views/index.ts";
import { columns, count, counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { valueReader } from "../common/values.ts";

async function stepBench({ options, printer }: Call): Promise<Answer> {
  const values = valueReader("bench", options);
  const positive = { whole: true, least: 1 };
  const width = values.number("width", positive) ?? 64;
  const batch = values.number("batch", { whole: true, least: 4 }) ?? 64;
  const size = values.number("size", { whole: true, least: 8 }) ?? 32;
  const steps = values.number("steps", positive) ?? 6;
  const threads = values.number("threads", { ...positive, most: 1024 }) ?? availableParallelism();
  const method = values.oneOf("method", ["simclr", "moco", "instDisc"]) ?? "simclr";
  values.check();
  const name = values.text("encoder") ?? "resnet";
  const device = values.text("device") ?? "cpu";
  const given = valueOf(values.text("blocks") ?? "2,2,2,2");
  const blocks = typeof given === "number" ? [given] : given;
  if (batch % 2 !== 0) throw new ConfigError(`bench: --batch is ${batch}, expected an even number`);
  const shape = { width, ...(name === "resnet" ? { blocks, stem: "small" } : {}) };
  const encoder = { name, ...(name.startsWith("vit") ? {} : shape) };
  printer.note(
    `compiling ${name}, batch ${batch}, ${size} px, on ${device} with ${threads} threads`,
  );
  const rate = await benchStep({ method, encoder, batch, size, steps, device, threads });
  printer.say(`${count(rate.imagesPerSecond)} images/s at the median of ${counted(steps, "step")}`);
  printer.say(
    `median ${rate.medianMs} ms, best ${rate.bestMs} ms, compiled in ${rate.compileSeconds} s`,
  );
  return { ...rate, method, encoder, batch, size, steps, device, threads };
}

async function methodsBench({ options, printer }: Call): Promise<Answer> {
  const values = valueReader("bench", options);
  const positive = { whole: true, least: 1 };
  const sizes = {
    width: values.number("width", positive) ?? 64,
    batch: values.number("batch", { whole: true, least: 4 }) ?? 256,
    size: values.number("size", { whole: true, least: 8 }) ?? 32,
    queue: values.number("queue", positive) ?? 4096,
    images: values.number("images", positive) ?? 50000,
    rounds: values.number("rounds", positive) ?? 5,
    threads: values.number("threads", { ...positive, most: 1024 }) ?? availableParallelism(),
  };
  const names = (values.text("methods") ?? methodNames.join(",")).split(",");
  values.check();
  const odd = names.find((name) => !(methodNames as string[]).includes(name));
  if (odd !== undefined) {
    const near = suggest(odd, methodNames);
    throw new ConfigError(
      `bench: --methods ${odd} is none of ${methodNames.join(", ")}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }
  const given = valueOf(values.text("blocks") ?? "2,2,2,2");
  const blocks = typeof given === "number" ? [given] : given;
  const device = values.text("device") ?? "cpu";
  const { width, ...rest } = sizes;
  const costs = await benchMethods({
    ...rest,
    names: names as MethodName[],
    device,
    note: (text) => printer.note(text),
    encoder: { name: "resnet", width, blocks, stem: "small" },
  });
  const rows = costs.map(({ method, overhead, overheadMs, spreadMs, baseStepMs, ...cost }) => [
    method,
    `${(100 * overhead).toFixed(1)} %`,
    `${overheadMs} ms (${spreadMs.join(" to ")})`,
    `${count(baseStepMs)} ms`,
    `${cost.extraPasses.gradient} + ${cost.extraPasses.forward}`,
    String(cost.extraStateMiB),
    cost.base,
  ]);
  const head = ["method", "overhead", "", "base step", "extra passes", "extra MiB", "base"];
  for (const line of columns([head, ...rows], "   ")) printer.say(line);
  printer.say(
    "extra passes: views of an image encoded with gradient + without, beyond the base's least",
  );
  return { ...sizes, blocks, device, methods: costs };
}

function viewsBench({ options, printer }: Call): Answer {
  const values = valueReader("bench", options);
  const seconds = values.number("seconds", { above: 0 }) ?? 2;
  values.check();
  printer.note(`timing views on one core, about ${Math.round(5 * (seconds + 1))} s`);
  const rates = benchViews({ seconds });
  const rows = rates.map(({ name, viewsPerSecond, viewsPerSecondWall }) => [
    name,
    count(viewsPerSecond),
    count(viewsPerSecondWall),
  ]);
  for (const line of columns([["", "views/s and core", "views/s"], ...rows], "   "))
    printer.say(line);
  return { views: rates };
}

/** Measures a training step or the making of views. */
export async function runBench(call: Call): Promise<Answer> {
  const [what] = call.words;
  if (what === "step") return stepBench(call);
  if (what === "views") return viewsBench(call);
  if (what === "methods") return methodsBench(call);
  const kinds = ["step", "methods", "views"];
  const near = suggest(what, kinds);
  throw new ConfigError(
    `bench: ${quoted(what)} is none of ${kinds.join(", ")}`,
    near === undefined ? undefined : `did you mean contrapose bench ${near}?`,
  );
}
