import type { ConfigTree } from "./configTree.ts";

/** A method: a paper's choice of views, pairs and loss, under all that a config file or flags set. */
export type Method = {
  readonly summary: string;
  readonly source: string;
  readonly config: ConfigTree;
};

const ntXent = { name: "infoNce", temperature: 0.2 };

/** Every method, by the name of `--method`. */
export const methods = {
  simclr: {
    summary: "Two views of an image attract, all other views of the batch repel.",
    source: "Chen et al. 2020, arXiv:2002.05709",
    config: { framework: { name: "simclr" }, loss: ntXent, head: { name: "mlp" } },
  },
  moco: {
    summary: "Negatives from a queue of keys of a slowly averaged encoder.",
    source: "He et al. 2020, arXiv:1911.05722; Chen et al. 2020, arXiv:2003.04297",
    config: { framework: { name: "moco" }, loss: ntXent, head: { name: "mlp" } },
  },
  instDisc: {
    summary: "Every image is a class of its own, with its embedding in a memory bank.",
    source: "Wu et al. 2018, arXiv:1805.01978",
    config: {
      framework: { name: "instDisc" },
      loss: { name: "infoNce", temperature: 0.07 },
      head: { name: "linear" },
    },
  },
  supCon: {
    summary: "Images of one label attract: the supervised bound, needs labels.",
    source: "Khosla et al. 2020, arXiv:2004.11362",
    config: {
      framework: { name: "simclr" },
      samplers: [{ name: "labels" }],
      loss: { name: "supCon", temperature: 0.1 },
    },
  },
  oracle: {
    summary:
      "SimCLR without its false negatives: what the best detection could give, needs labels.",
    source: "Chuang et al. 2020, arXiv:2007.00224, section 5 (unbiased)",
    config: { framework: { name: "simclr" }, samplers: [{ name: "oracle" }], loss: ntXent },
  },
  decoupled: {
    summary: "The positive leaves the denominator: small batches lose less.",
    source: "Yeh et al. 2022, arXiv:2110.06848",
    config: { framework: { name: "simclr" }, loss: { name: "decoupled", temperature: 0.1 } },
  },
  debiased: {
    summary: "Corrects the negatives' sum by the share that is of the anchor's class.",
    source: "Chuang et al. 2020, arXiv:2007.00224",
    config: {
      framework: { name: "simclr" },
      loss: { name: "debiased", temperature: 0.5, tauPlus: 0.1 },
    },
  },
  hcl: {
    summary: "Weights negatives by their similarity, with the debiased correction.",
    source: "Robinson et al. 2021, arXiv:2010.04592",
    config: {
      framework: { name: "simclr" },
      loss: { name: "hardNegative", temperature: 0.5, tauPlus: 0.1, beta: 1 },
    },
  },
  adnce: {
    summary: "Negatives of a chosen similarity stand for more, the nearest for less.",
    source: "Wu et al. 2023, arXiv:2310.11048",
    config: {
      framework: { name: "simclr" },
      loss: { name: "adnce", temperature: 0.4, mu: 0.7, sigma: 0.5 },
    },
  },
  rince: {
    summary: "False positives cannot move an anchor far.",
    source: "Chuang et al. 2022, arXiv:2201.04309",
    config: {
      framework: { name: "simclr" },
      loss: { name: "rince", temperature: 0.5, q: 0.5, lambda: 0.025 },
    },
  },
  ifm: {
    summary: "Pairs made harder beside the plain ones, against shortcuts.",
    source: "Robinson et al. 2021, arXiv:2106.11230",
    config: {
      framework: { name: "moco" },
      loss: { name: "ifm", temperature: 0.2, epsilon: 0.1, alpha: 1 },
    },
  },
  sigmoid: {
    summary: "Every pair of views on its own is told to be one of the same image or not.",
    source: "Zhai et al. 2023, arXiv:2303.15343, on two views of images",
    config: {
      framework: { name: "simclr" },
      loss: { name: "sigmoid", temperature: 0.1, bias: -6 },
    },
  },
  fnc: {
    summary: "Finds false negatives by support views of the anchor and attracts them.",
    source: "Huynh et al. 2022, arXiv:2011.11765",
    config: {
      framework: { name: "simclr", views: 4 },
      samplers: [{ name: "falseNegatives", warmup: 0.1 }],
      loss: ntXent,
    },
  },
  gloFnd: {
    summary: "Learns for every image the similarity above which a negative is false.",
    source: "Balmaseda et al. 2025, arXiv:2502.20612",
    config: { framework: { name: "simclr" }, samplers: [{ name: "gloFnd" }], loss: ntXent },
  },
  ring: {
    summary: "Negatives from a ring of similarity, neither nearest nor farthest.",
    source: "Wu et al. 2021, arXiv:2010.02037",
    config: { framework: { name: "moco" }, samplers: [{ name: "ring" }], loss: ntXent },
  },
  mochi: {
    summary: "Mixes the hardest negatives of a queue into harder ones.",
    source: "Kalantidis et al. 2020, arXiv:2010.01028",
    config: { framework: { name: "moco" }, mixer: { name: "mochi" }, loss: ntXent },
  },
  synco: {
    summary: "Synthetic negatives of six kinds around the hard ones of a queue.",
    source: "Giakoumoglou and Stathaki 2024, arXiv:2410.02401",
    config: { framework: { name: "moco" }, mixer: { name: "synco" }, loss: ntXent },
  },
  invp: {
    summary: "Positives along the neighbour graph of a memory bank, the hard ones of them.",
    source: "Wang et al. 2020, arXiv:2010.11694",
    config: {
      framework: { name: "instDisc" },
      samplers: [{ name: "propagate" }],
      loss: { name: "infoNce", temperature: 0.2, positives: "inside" },
      head: { name: "mlp" },
    },
  },
  nnclr: {
    summary: "The nearest earlier image stands for the anchor.",
    source: "Dwibedi et al. 2021, arXiv:2104.14548",
    config: { framework: { name: "nnclr" }, loss: ntXent },
  },
  looc: {
    summary: "One embedding space for each augmentation keeps what that augmentation changes.",
    source: "Xiao et al. 2021, arXiv:2008.05659",
    config: { framework: { name: "looc" }, loss: ntXent },
  },
  contrastiveCrop: {
    summary: "Crops around what the encoder looks at, more often at its borders.",
    source: "Peng et al. 2022, arXiv:2202.03278",
    config: {
      framework: { name: "simclr" },
      loss: ntXent,
      views: { crop: { kind: "contrastive" } },
    },
  },
  sortViews: {
    summary: "Sorts an image's views by similarity to a weak one: the farthest are no positives.",
    source: "this project, 2026: the open question of the survey of positive and negative sampling",
    config: {
      framework: { name: "simclr", views: 4, anchors: "first" },
      samplers: [{ name: "sortViews" }],
      loss: { ...ntXent, denominator: "own" },
      views: {
        perView: [{ crop: { scale: [0.8, 1] }, jitter: { probability: 0 }, grey: 0 }],
      },
    },
  },
} as const satisfies Record<string, Method>;

/** The name of a method. */
export type MethodName = keyof typeof methods;

/** Names of all methods, in the order of the catalogue. */
export const methodNames = Object.keys(methods) as [MethodName, ...MethodName[]];
