import { ConfigError } from "../../core/errors.ts";
import { resolveStart } from "../../inference/index.ts";
import type { Call } from "../verb.ts";
import { fetchingOf } from "./images.ts";
import type { ValueReader } from "./values.ts";

/** The path of the encoder that a verb is about, as --from or its first word says, and the words behind it. */
export async function encoderGiven(
  verb: string,
  call: Call,
  values: ValueReader,
  most: number,
): Promise<{ path: string; rest: readonly string[] }> {
  const from = values.text("from");
  const [first, ...others] = call.words;
  if (from === undefined) {
    if (first !== undefined) return { path: first, rest: others };
    throw new ConfigError(
      `${verb}: which encoder is missing`,
      "give a run, or --from and a pretrained encoder: contrapose list starts",
    );
  }
  if (call.words.length > most) {
    throw new ConfigError(
      `${verb}: the encoder is given twice, as ${first} and as --from ${from}`,
      "leave one out",
    );
  }
  return { path: await resolveStart(from, fetchingOf(call)), rest: call.words };
}
