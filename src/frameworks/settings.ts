import { z } from "zod";

import { type Chosen, partFrom } from "../core/catalogue.ts";
import { settingNotes } from "../core/settings.ts";
import { type Encoder, encoders, type Head, heads } from "../encoders/index.ts";
import { type Loss, losses } from "../losses/index.ts";
import { type OptimiserEntry, optimisers } from "../optim/index.ts";
import { type Mixer, mixers, type Sampler, samplers } from "../sampling/index.ts";
import { frameworks } from "./catalogue.ts";
import type { FrameworkEntry } from "./defineFramework.ts";

/** Settings that a framework and a run have in common. */
export const commonSettings = {
  framework: partFrom<FrameworkEntry>("framework", frameworks, "simclr")
    .describe("where candidates come from")
    .register(settingNotes, { group: "Method" }),
  samplers: z
    .array(partFrom<Sampler>("sampler", samplers))
    .prefault([])
    .describe("what changes positives and negatives, in this order; groups always comes first")
    .register(settingNotes, { group: "Method", unit: "names" }),
  mixer: partFrom<Mixer>("mixer", mixers)
    .describe("makes candidates of candidates")
    .register(settingNotes, { group: "Method" }),
  loss: partFrom<Loss>("loss", losses, "infoNce")
    .describe("what is minimised")
    .register(settingNotes, {
      group: "Method",
      options: { temperature: { group: "Method" } },
    }),
  encoder: partFrom<Encoder>("encoder", encoders, "resnet")
    .describe("images to features")
    .register(settingNotes, {
      group: "Method",
      usual: "by the size of the images",
      options: {
        width: { group: "Method", unit: "channels" },
        blocks: { group: "Method", unit: "list" },
      },
    }),
  head: partFrom<Head>("head", heads, "mlp")
    .describe("features to the embedding that the loss sees")
    .register(settingNotes, { group: "Method" }),
  optimiser: partFrom<OptimiserEntry>("optimiser", optimisers, "sgd")
    .describe("how weights follow the gradient")
    .register(settingNotes, {
      group: "Training",
      usual: "sgd, adamw for small images",
      options: { weightDecay: { group: "Training" }, momentum: { group: "Training" } },
    }),
  averaging: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("decay of an average of the weights, updated each step; 0 keeps none")
    .register(settingNotes, { group: "Training", unit: "decay" }),
  batchSize: z
    .int()
    .min(2)
    .max(1e6)
    .describe("images of a step, each in several views")
    .register(settingNotes, { group: "Training", unit: "images", usual: "by their number" }),
  imageSize: z
    .int()
    .min(4)
    .max(1024)
    .describe("side of a view in pixels")
    .register(settingNotes, { group: "Data", unit: "px", usual: "by the size of the images" }),
  seed: z
    .int()
    .min(0)
    .max(4294967295)
    .default(0)
    .describe("of the first weights and every random choice")
    .register(settingNotes, { group: "Training" }),
};

/** How each part of a run may be chosen. */
export type ChosenParts = {
  framework?: Chosen<typeof frameworks, FrameworkEntry> | undefined;
  encoder?: Chosen<typeof encoders, Encoder> | undefined;
  head?: Chosen<typeof heads, Head> | undefined;
  loss?: Chosen<typeof losses, Loss> | undefined;
  samplers?: readonly Chosen<typeof samplers, Sampler>[] | undefined;
  mixer?: Chosen<typeof mixers, Mixer> | undefined;
  optimiser?: Chosen<typeof optimisers, OptimiserEntry> | undefined;
};
