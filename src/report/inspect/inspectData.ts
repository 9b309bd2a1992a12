/** A rectangle as shares of an image's sides, 0 to 1. */
export type ShareBox = { left: number; top: number; width: number; height: number };

/** An image of the set, shown wherever it appears. */
export type PageImage = {
  source: string; // data URI
  aspect: number; // width over height
  path: string;
  label?: string | undefined;
};

/** A pair as the page shows it. */
export type PagePair = {
  image: number | null;
  parents?: { first: number | null; second: number | null; share: number } | undefined;
  crop?: ShareBox | undefined;
  box?: ShareBox | undefined; // within which crops are drawn
  rendered?: string | undefined; // the view itself, a data URI
  similarity: number; // cosine
  weight: number;
  force: number; // slope of the loss at the similarity
  rank: number; // from 1
  reasons: readonly string[];
  verdict?: "right" | "wrong" | undefined;
};

/** An anchor and lists of its candidates; `counts` are of the whole lists. */
export type PageAnchor = {
  image: number;
  view: number;
  space?: string | undefined; // only where there are several
  loss: number; // nats
  candidates: number;
  leftOut: number;
  crop?: ShareBox | undefined;
  box?: ShareBox | undefined;
  rendered?: string | undefined;
  positives: readonly PagePair[];
  negatives: readonly PagePair[];
  mixtures: readonly PagePair[];
  changed: readonly PagePair[];
  counts: { positives: number; negatives: number; mixtures: number; changed: number };
};

/** A recorded step. */
export type PageStep = {
  step: number;
  epoch: number; // from 0
  reasons: readonly { reason: string; pairs: number; judged: number; wrong: number }[];
  anchors: readonly PageAnchor[];
};

/** Everything that the page of recorded pairs shows. */
export type InspectData = {
  run: string;
  method: string; // in words
  labelled: boolean;
  images: ReadonlyMap<number, PageImage>;
  steps: readonly PageStep[];
};
