import type { HostRecord } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import {
  type Facts,
  type HostVariables,
  type Network,
  recognise,
  variablesFrom,
} from "../encoders/index.ts";
import { about } from "./about.ts";
import { describeEncoder, type EncoderDescription, networkFor, type Start } from "./description.ts";
import { type InputFormat, type StatedInput, wholeFormat } from "./format.ts";
import { preprocessingOf } from "./preprocessing.ts";
import type { Repository } from "./repository.ts";

/** An encoder of another maker, with its weights under the names used here. */
export type NamedEncoder = {
  readonly description: EncoderDescription;
  readonly network: Network;
  readonly variables: HostVariables;
};

function formatOf(
  file: string,
  facts: Pick<Repository, "config" | "processor">,
  stated: StatedInput,
): InputFormat {
  const written = about(file, () => preprocessingOf(facts.config, facts.processor));
  return wholeFormat(file, {
    ...written,
    imageSize: stated.imageSize ?? written.imageSize,
    mean: stated.mean ?? written.mean,
    std: stated.std ?? written.std,
  });
}

/** The licence that `config.json` names. */
function licenceOf({ pretrained_cfg: inner, license: own }: Facts): string | undefined {
  const named =
    typeof inner === "object" && inner !== null && "license" in inner ? inner.license : own;
  return typeof named === "string" ? named : undefined;
}

/** Facts without the names of classes: those of a classifier, which is left out. */
const withoutClasses = (facts: Facts): Facts =>
  Object.fromEntries(Object.entries(facts).filter(([name]) => !/^(id2label|label2id)$/.test(name)));

/** Where weights come from, for whoever uses or exports what was made of them. */
export function startOf(
  from: string,
  { config, processor }: Pick<Repository, "config" | "processor">,
  arrays: HostRecord,
): Start {
  const shapes = Object.entries(arrays).map(([name, { shape }]) => [name, shape]);
  return {
    from,
    licence: licenceOf(config),
    origin: {
      config: withoutClasses(config),
      ...(processor !== undefined && { processor }),
      arrays: Object.fromEntries(shapes) as Record<string, readonly number[]>,
    },
  };
}

/**
 * Recognises weights under the names of torchvision, timm or transformers. Throws `DataError` where an array
 * is missing, left over or of another shape.
 */
export function namedEncoder(
  file: string,
  given: HostRecord,
  facts: Pick<Repository, "config" | "processor">,
  stated: StatedInput,
): NamedEncoder {
  if (stated.output !== undefined) {
    throw new ConfigError(`--output: ${quoted(file)} is no ONNX model`, "leave it out");
  }
  const { encoder, arrays } = about(file, () => recognise(given, facts.config));
  const format = formatOf(file, facts, stated);
  return about(file, () => {
    const network = networkFor({ encoder, imageSize: format.imageSize });
    const variables = variablesFrom(network, arrays, facts.config);
    const start = startOf(file, facts, given);
    return {
      description: describeEncoder(encoder, network, format, { start }),
      network,
      variables,
    };
  });
}
