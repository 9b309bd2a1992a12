import { ConfigError } from "../../core/errors.ts";
import { mistakes } from "../../core/options.ts";
import { renderSamples, SampleOptions } from "../../data/index.ts";
import { valueOf } from "../../train/index.ts";
import { count } from "../format.ts";
import { mistakesError } from "../arguments.ts";
import type { Answer, Call } from "../verb.ts";

const direct = ["train", "test", "size", "label", "format", "seed"];

function optionsOf({ options }: Call): Record<string, unknown> {
  const given = direct.flatMap((key) => {
    const value = options[key];
    return typeof value === "string" ? [[key, valueOf(value)]] : [];
  });
  const more = ((options.set as string[] | undefined) ?? []).map((word) => {
    const [key, ...value] = word.split("=");
    return [key, valueOf(value.join("="))];
  });
  return Object.fromEntries([...given, ...more]) as Record<string, unknown>;
}

/** Renders a sample set. */
export async function runSample(call: Call): Promise<Answer> {
  const { words, options, printer, signal } = call;
  const out = words[0] ?? (typeof options.out === "string" ? options.out : undefined);
  if (out === undefined) {
    throw new ConfigError(
      "sample: where to make the images is missing",
      "as in contrapose sample ./shapes",
    );
  }
  const asked = optionsOf(call);
  const wrong = mistakes(SampleOptions, asked);
  if (wrong.length > 0)
    throw mistakesError("sample", wrong, "contrapose sample --help lists all options");
  const set = await renderSamples(out, asked, {
    overwrite: options.overwrite === true,
    resume: options.continue === true,
    onProgress: (done, total) => printer.redraw(`drawing ${count(done)} of ${count(total)} images`),
    signal,
  });
  const { train, test, label, size } = set.options;
  printer.say(
    `images     ${count(train)} in ${out}/train, ${count(test)} in ${out}/test, ${size} px`,
  );
  printer.say(`classes    by ${label}; every factor of every image is in ${out}/manifest.jsonl`);
  printer.say();
  printer.say("next");
  printer.say(`  contrapose train ${out}/train --test ${out}/test`);
  return { folder: out, drawn: set.drawn, kept: set.kept, options: set.options };
}
