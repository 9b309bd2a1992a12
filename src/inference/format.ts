import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { Interpolation } from "../views/index.ts";

/** How an image becomes the input of an encoder. */
export type InputFormat = {
  readonly imageSize: number; // side in pixels
  readonly mean: readonly [number, number, number]; // of red, green, blue in [0, 1]
  readonly std: readonly [number, number, number];
  /** What is cut out: a share of the side of the centred square, the whole of it unless given, or of the whole image, squeezed into a square. */
  readonly crop?: { readonly of: "square" | "whole"; readonly share: number } | undefined;
  /** How it is resized, always smoothed where it shrinks; bilinear unless given. */
  readonly interpolation?: Interpolation | undefined;
};

/** What a user says of an encoder that does not say it itself, or wants otherwise. */
export type StatedInput = {
  readonly imageSize?: number | undefined; // side in pixels
  readonly mean?: readonly number[] | undefined; // of red, green, blue in [0, 1]
  readonly std?: readonly number[] | undefined;
  readonly output?: string | undefined; // name of the output of an ONNX model that holds the features
};

type Triple = readonly [number, number, number];

function checkTriple(name: string, value: readonly number[], above: number): Triple {
  const [red, green, blue] = value;
  const good = value.length === 3 && value.every((x) => Number.isFinite(x) && x > above);
  if (good) return [red, green, blue];
  const kind = above === 0 ? "three numbers above 0" : "three numbers";
  throw new ConfigError(
    `${name}: expected ${kind}, of red, green and blue (is ${value.join(",")})`,
  );
}

/** What is known of a format so far. */
export type KnownFormat = {
  readonly imageSize?: number | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly crop?: InputFormat["crop"];
  readonly interpolation?: InputFormat["interpolation"];
};

/** A whole format of what is known. Throws `ConfigError` that names what is missing. */
export function wholeFormat(path: string, known: KnownFormat): InputFormat {
  const { imageSize, mean, std, crop, interpolation } = known;
  if (imageSize === undefined || mean === undefined || std === undefined) {
    const needed = { "--image-size": imageSize, "--mean": mean, "--std": std };
    const missing = Object.entries(needed).flatMap(([flag, value]) => (value ? [] : [flag]));
    throw new ConfigError(
      `${quoted(path)} does not say how images become its input: ${missing.join(", ")} missing`,
      "as in --image-size 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225; pixels are in [0, 1]",
    );
  }
  const checked = {
    mean: checkTriple("--mean", mean, -Infinity),
    std: checkTriple("--std", std, 0),
  };
  return inputFormat({ imageSize, ...checked, crop, interpolation });
}

/** The format alone of what knows one, without what is not given: equal formats are equal as JSON. */
export function inputFormat({
  imageSize,
  mean,
  std,
  crop,
  interpolation,
}: InputFormat): InputFormat {
  return {
    imageSize,
    mean,
    std,
    ...(crop !== undefined && { crop }),
    ...(interpolation !== undefined && { interpolation }),
  };
}
