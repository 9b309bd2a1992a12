import { type HostArray, hostArray, type HostRecord, zeros } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { isGrid } from "../positions.ts";
import {
  activationOf,
  countOf,
  type Facts,
  factsOf,
  type Family,
  numberOf,
  shapeOf,
  textOf,
} from "./family.ts";

/** Heads of the usual widths, where nothing says how many there are. */
const usualHeads: Record<number, number> = {
  192: 3,
  384: 6,
  768: 12,
  1024: 16,
  1152: 16,
  1280: 16,
  1408: 16,
  1536: 24,
};

/** Arrays one under the other, along the first axis; `undefined` is zeros. */
function stacked(parts: readonly (HostArray | undefined)[]): HostArray {
  const shape = parts.find((part) => part !== undefined)!.shape;
  const each = parts.map((part) => part ?? zeros(shape));
  const rows = each.reduce((sum, part) => sum + part.shape[0], 0);
  const data = new Float32Array(each.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of each) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return hostArray("float32", [rows, ...shape.slice(1)], data);
}

/** Rows of an array from one on. */
function rowsOf({ shape, data }: HostArray, from: number, count: number): HostArray {
  const width = data.length / shape[0];
  const part = Float32Array.from(data.subarray(from * width, (from + count) * width));
  return hostArray("float32", [count, ...shape.slice(1)], part);
}

/** Queries, keys and values that lie apart as one matrix; a bias that one of them lacks is 0. */
function fuse(arrays: HostRecord): void {
  for (const key of Object.keys(arrays)) {
    const found = /^(.*\.attn)\.(?:q\.|q_)(weight|bias)$/.exec(key);
    if (found === null) continue;
    const [, name, kind] = found;
    const parts = ["q", "k", "v"].map((part) => {
      const names = [`${name}.${part}.${kind}`, `${name}.${part}_${kind}`];
      const at = names.find((candidate) => candidate in arrays);
      const array = at === undefined ? undefined : arrays[at];
      if (at !== undefined) delete arrays[at];
      return array;
    });
    arrays[`${name}.qkv.${kind}`] = stacked(parts);
  }
}

/** One matrix of queries, keys and values of the pooling as queries and the other two. */
function splitPool(arrays: HostRecord): void {
  for (const kind of ["weight", "bias"]) {
    const joined = arrays[`attn_pool.in.${kind}`];
    if (joined === undefined) continue;
    delete arrays[`attn_pool.in.${kind}`];
    const width = joined.shape[0] / 3;
    arrays[`attn_pool.q.${kind}`] = rowsOf(joined, 0, width);
    arrays[`attn_pool.kv.${kind}`] = rowsOf(joined, width, 2 * width);
  }
}

/** A first layer twice as wide as the second takes is gate and value. */
function splitGates(arrays: HostRecord): void {
  for (const key of Object.keys(arrays)) {
    const found = /^(blocks\.\d+\.mlp)\.fc1\.(weight|bias)$/.exec(key);
    if (found === null) continue;
    const [, name, kind] = found;
    const hidden = shapeOf(arrays, `${name}.fc2.weight`)[1];
    const array = arrays[key];
    if (array.shape[0] !== 2 * hidden) continue;
    delete arrays[key];
    arrays[`${name}.fc1_g.${kind}`] = rowsOf(array, 0, hidden);
    arrays[`${name}.fc1_x.${kind}`] = rowsOf(array, hidden, hidden);
  }
}

/** The first layer beside a gate has a name of its own. */
function nameGated(arrays: HostRecord): void {
  for (const key of Object.keys(arrays)) {
    const gate = key.replace(/\.fc1\.(weight|bias)$/, ".fc1_g.$1");
    if (gate === key || !(gate in arrays)) continue;
    arrays[key.replace(".fc1.", ".fc1_x.")] = arrays[key];
    delete arrays[key];
  }
}

/** `head` of timm is a classifier, that of SigLIP a pooling: renamed before. */
function arrange(given: HostRecord): HostRecord {
  const arrays = { ...given };
  fuse(arrays);
  splitPool(arrays);
  splitGates(arrays);
  nameGated(arrays);
  return arrays;
}

/** Which tokens the learned positions belong to: what is left of them is a square grid. */
function positionsOf(arrays: HostRecord, prefix: number): string {
  const positions = arrays.pos_embed;
  if (positions === undefined) return "rotary";
  const count = positions.shape.at(-2)!;
  if (isGrid(count - prefix)) return "all";
  if (isGrid(count - 1) && "cls_token" in arrays) return "class";
  if (isGrid(count)) return "patches";
  throw new DataError(`${count} positions are not those of a square grid of patches`);
}

function headsOf(facts: Facts, dimension: number): number {
  const stated =
    numberOf(facts, "num_attention_heads") ?? numberOf(factsOf(facts, "model_args"), "num_heads");
  const heads = stated ?? usualHeads[dimension];
  if (heads !== undefined) return heads;
  throw new DataError(
    `nothing says how many heads attention of width ${dimension} has`,
    "put a config.json with num_attention_heads beside the weights",
  );
}

/** What is known by the name of an architecture of timm. */
function timmFacts(architecture: string) {
  const rotary = architecture.includes("dinov3");
  return {
    epsilon: rotary || architecture.includes("_clip_") ? 1e-5 : 1e-6,
    activation: architecture.includes("quickgelu") ? "quickGelu" : "gelu",
    pooling: rotary || architecture.includes("_gap_") ? "avg" : "token",
  };
}

/** What the features are: the class token, the mean of the patches, or what a query finds. */
function poolingOf(arrays: HostRecord, args: Facts, usual: string): string {
  if ("attn_pool.latent" in arrays) return "attention";
  if ("fc_norm.weight" in arrays || !("cls_token" in arrays)) return "mean";
  const stated = textOf(args, "global_pool") || usual;
  return stated === "avg" ? "mean" : "class";
}

/** Width and function of the MLPs. */
function mlpOf(arrays: HostRecord, facts: Facts, usual: string) {
  const gated = "blocks.0.mlp.fc1_g.weight" in arrays;
  const [hidden] = shapeOf(arrays, `blocks.0.mlp.${gated ? "fc1_x" : "fc1"}.weight`);
  const swish = gated && facts.use_swiglu_ffn === true; // whatever hidden_act says
  return {
    hidden,
    gated,
    activation: swish ? "silu" : activationOf(facts, "hidden_act", gated ? "silu" : usual),
  };
}

function recognise(arrays: HostRecord, all: Facts) {
  const inner = factsOf(all, "vision_config");
  const facts = Object.keys(inner).length > 0 ? inner : all;
  const args = factsOf(all, "model_args");
  const timm = timmFacts(textOf(all, "architecture"));
  const [dimension, , patch] = shapeOf(arrays, "patch_embed.proj.weight");
  const classToken = "cls_token" in arrays;
  const registers = arrays.reg_token?.shape.at(-2) ?? 0;
  const { hidden, gated, activation } = mlpOf(
    arrays,
    facts,
    activationOf(args, "act_layer", timm.activation),
  );
  return {
    name: "vit",
    dimension,
    patch,
    depth: countOf(arrays, (i) => `blocks.${i}.`),
    heads: headsOf({ ...all, ...facts }, dimension),
    expansion: hidden / dimension,
    activation,
    gated,
    classToken,
    registers,
    positions: positionsOf(arrays, Number(classToken) + registers),
    base: numberOf(facts, "rope_theta") ?? 100,
    qkvBias: "blocks.0.attn.qkv.bias" in arrays,
    patchBias: "patch_embed.proj.bias" in arrays,
    ...("blocks.0.ls1.gamma" in arrays && { layerScale: 1 }),
    preNorm: "norm_pre.weight" in arrays,
    pooling: poolingOf(arrays, args, timm.pooling),
    normAfterPooling: "fc_norm.weight" in arrays,
    epsilon: numberOf(facts, "layer_norm_eps") ?? timm.epsilon,
  };
}

/** Vision transformers, DINOv2 and 3, CLIP and SigLIP: names of timm, transformers and torchvision. */
export const vit: Family = {
  witness: "patch_embed.proj.weight",
  ignored:
    /^(head|head_dist|classifier|heads|pooler|text_model|text_projection|visual_projection)\.|^(mask_token|embeddings\.mask_token|logit_scale|logit_bias)$|position_ids$|^rope/,
  renames: [
    [
      /^(?:(?:vit|dinov2|dinov2_with_registers|dinov3_vit|vision_model|model|module|backbone)\.)+/,
      "",
    ],
    [/^(?:embeddings\.)?(?:cls_token|class_embedding|class_token)$/, "cls_token"],
    [/^(?:embeddings\.)?register_tokens$/, "reg_token"],
    [/^(?:embeddings|encoder)\.(?:position_embeddings?|pos_embedding)(?:\.weight)?$/, "pos_embed"],
    [/^embeddings\.patch_embeddings?(?:\.projection)?\./, "patch_embed.proj."],
    [/^conv_proj\./, "patch_embed.proj."],
    [/^(?:encoder\.)?layers?\.(?:encoder_layer_)?(\d+)\./, "blocks.$1."],
    [/^pre_layrnorm\./, "norm_pre."],
    [/^(?:post_layernorm|layernorm|encoder\.ln)\./, "norm."],
    [/\.(?:layernorm_before|layer_norm1|ln_1)\./, ".norm1."],
    [/\.(?:layernorm_after|layer_norm2|ln_2)\./, ".norm2."],
    [/\.(?:self_attn|attention(?:\.attention)?)\.(?:q_proj|query)\./, ".attn.q."],
    [/\.(?:self_attn|attention(?:\.attention)?)\.(?:k_proj|key)\./, ".attn.k."],
    [/\.(?:self_attn|attention(?:\.attention)?)\.(?:v_proj|value)\./, ".attn.v."],
    [
      /^(blocks.*)\.(?:self_attn\.out_proj|attention\.o_proj|attention\.output\.dense)\./,
      "$1.attn.proj.",
    ],
    [/\.self_attention\.in_proj_(weight|bias)$/, ".attn.qkv.$1"],
    [/\.self_attention\.out_proj\./, ".attn.proj."],
    [/\.intermediate\.dense\./, ".mlp.fc1."],
    [/^(blocks\.\d+)\.output\.dense\./, "$1.mlp.fc2."],
    [/\.mlp\.(?:up_proj|weights_in|w12|linear_1|0)\./, ".mlp.fc1."],
    [/\.mlp\.(?:down_proj|weights_out|w3|linear_2|3)\./, ".mlp.fc2."],
    [/\.mlp\.gate_proj\./, ".mlp.fc1_g."],
    [/\.layer_scale([12])\.lambda1$/, ".ls$1.gamma"],
    [/\.gamma_([12])$/, ".ls$1.gamma"],
    [/^head\.probe$/, "attn_pool.latent"],
    [/^head\.attention\.in_proj_(weight|bias)$/, "attn_pool.in.$1"],
    [/^head\.attention\.out_proj\./, "attn_pool.proj."],
    [/^head\.layernorm\./, "attn_pool.norm."],
    [/^head\.mlp\./, "attn_pool.mlp."],
  ],
  arrange,
  recognise,
};
