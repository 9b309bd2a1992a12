import type { HostRecord } from "../../core/arrays.ts";
import { activationOf, countOf, type Facts, type Family, numberOf, shapeOf } from "./family.ts";

/** Part of a block of torchvision, by its place. */
const parts: Record<string, string> = { 0: "conv_dw", 2: "norm", 3: "mlp.fc1", 5: "mlp.fc2" };

/** Torchvision numbers stem, stages and the layers between in one row. */
function torchvisionStage(place: string, rest: string): string {
  const at = Number(place);
  if (at === 0) return `stem.${rest}`;
  return at % 2 === 0
    ? `stages.${at / 2}.downsample.${rest}`
    : `stages.${(at - 1) / 2}.blocks.${rest}`;
}

function recognise(arrays: HostRecord, facts: Facts) {
  const stages = countOf(arrays, (i) => `stages.${i}.`);
  const first = (stage: number) => `stages.${stage}.blocks.0`;
  const [width, , kernel] = shapeOf(arrays, `${first(0)}.conv_dw.weight`);
  const epsilon = numberOf(facts, "layer_norm_eps");
  return {
    name: "convnext",
    depths: Array.from({ length: stages }, (_, i) =>
      countOf(arrays, (j) => `stages.${i}.blocks.${j}.`),
    ),
    widths: Array.from(
      { length: stages },
      (_, i) => shapeOf(arrays, `${first(i)}.conv_dw.weight`)[0],
    ),
    patch: shapeOf(arrays, "stem.0.weight")[2],
    kernel,
    expansion: shapeOf(arrays, `${first(0)}.mlp.fc1.weight`)[0] / width,
    activation: activationOf(facts, "hidden_act", "gelu"),
    globalResponse: `${first(0)}.mlp.grn.weight` in arrays,
    ...(`${first(0)}.gamma` in arrays && { layerScale: 1 }),
    ...(epsilon !== undefined && { headEpsilon: epsilon }),
  };
}

/** ConvNeXt 1 and 2: names of timm, of transformers and of torchvision. */
export const convnext: Family = {
  witness: "stages.0.blocks.0.conv_dw.weight",
  ignored: /^(head\.fc|classifier)\./,
  renames: [
    [/^(?:convnext|convnextv2|model|module|backbone)\./, ""],
    [/^classifier\.0\./, "head.norm."],
    [/^features\.(\d+)\.(.*)$/, torchvisionStage],
    [/\.block\.([0235])\./, (part) => `.${parts[part]}.`],
    [/\.layer_scale$/, ".gamma"],
    [/^embeddings\.patch_embeddings\./, "stem.0."],
    [/^embeddings\.layernorm\./, "stem.1."],
    [/^layernorm\./, "head.norm."],
    [/^encoder\.stages\.(\d+)\.downsampling_layer\./, "stages.$1.downsample."],
    [/^encoder\.stages\.(\d+)\.layers\./, "stages.$1.blocks."],
    [/\.dwconv\./, ".conv_dw."],
    [/\.layernorm\./, ".norm."],
    [/\.pwconv([12])\./, ".mlp.fc$1."],
    [/\.grn\./, ".mlp.grn."],
    [/\.mlp\.mlp\./, ".mlp."],
    [/\.layer_scale_parameter$/, ".gamma"],
  ],
  recognise,
};
