import { existsSync } from "node:fs";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import { type DownloadCalls, hubId, hubRepository } from "../hub/index.ts";

/** A pretrained encoder with a short name. Megabytes are those of the file, parameters those before a classifier. */
export type ListedStart = {
  readonly id: string; // of the repository on the hub
  readonly licence: string;
  readonly megabytes: number;
  readonly parameters: number; // millions
  readonly imageSize: number; // pixels
  readonly summary: string;
};

/** Pretrained encoders by short name, smallest first. Sizes and licences are those that the model cards state. */
export const starts: Readonly<Record<string, ListedStart>> = {
  "efficientnet-lite0": {
    id: "timm/tf_efficientnet_lite0.in1k",
    licence: "Apache-2.0",
    megabytes: 19,
    parameters: 3.4,
    imageSize: 224,
    summary: "Photographs on a processor alone: the fastest here; trained on ImageNet with labels.",
  },
  "mobilenetv3-large": {
    id: "timm/mobilenetv3_large_100.ra_in1k",
    licence: "Apache-2.0",
    megabytes: 22,
    parameters: 4.2,
    imageSize: 224,
    summary: "Photographs on a processor alone; trained on ImageNet with labels.",
  },
  resnet18: {
    id: "timm/resnet18.a1_in1k",
    licence: "Apache-2.0",
    megabytes: 47,
    parameters: 11.2,
    imageSize: 224,
    summary: "A plain residual network, easy to train further; trained on ImageNet with labels.",
  },
  "dinov2-small": {
    id: "facebook/dinov2-small",
    licence: "Apache-2.0",
    megabytes: 88,
    parameters: 22.1,
    imageSize: 224,
    summary: "Likeness of all kinds of images, trained without labels; slower.",
  },
  resnet50: {
    id: "timm/resnet50.a1_in1k",
    licence: "Apache-2.0",
    megabytes: 102,
    parameters: 23.5,
    imageSize: 224,
    summary: "The residual network that papers compare with; trained on ImageNet with labels.",
  },
  "dinov2-base": {
    id: "facebook/dinov2-base",
    licence: "Apache-2.0",
    megabytes: 346,
    parameters: 86.6,
    imageSize: 224,
    summary:
      "Likeness of all kinds of images, trained without labels; slow without a graphics card.",
  },
};

const looksLikePath = (what: string) => /^[./~]|[\\]|\.(safetensors|onnx)$/i.test(what);

/**
 * The path of an encoder: of a run, a checkpoint, a folder or a file as it stands, or of what a short name or
 * an id of a hub (`org/name`, `org/name@revision`) stands for, fetched into the cache where it is not there.
 */
export async function resolveStart(what: string, calls: DownloadCalls = {}): Promise<string> {
  if (existsSync(what) || looksLikePath(what)) return what;
  const listed = starts[what] as ListedStart | undefined;
  const at = hubId(listed?.id ?? what);
  if (at !== undefined) return hubRepository(at, calls);
  const near = suggest(what, Object.keys(starts));
  throw new ConfigError(
    `${quoted(what)} is no run, folder or file here, no short name of contrapose list starts, and no id of a hub (org/name)`,
    near === undefined ? "check the path" : `did you mean ${near}?`,
  );
}
