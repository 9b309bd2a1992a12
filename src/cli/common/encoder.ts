import { type ImageEncoderOptions } from "../../evaluate/index.ts";
import type { StatedInput } from "../../inference/index.ts";
import type { ValueReader } from "./values.ts";

/** Reads what a user says of an encoder's input. */
export function statedOf(values: ValueReader): StatedInput {
  return {
    imageSize: values.number("imageSize", { whole: true, least: 1, most: 4096 }),
    mean: values.numbers("mean"),
    std: values.numbers("std"),
    output: values.text("output"),
  };
}

/** Reads the options of an encoder. */
export function encoderOptionsOf(values: ValueReader): ImageEncoderOptions {
  return {
    features: values.oneOf("features", ["features", "head"]),
    device: values.text("device"),
    threads: values.number("threads", { whole: true, least: 1, most: 1024 }),
    stated: statedOf(values),
  };
}
