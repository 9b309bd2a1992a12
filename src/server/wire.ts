import type { Decision } from "../inference/decisionsFile.ts";
import type { Diagnosis, InspectedStep } from "../train/index.ts";

/** What the studio's page and its server say to each other: types only, so that the page needs no code of the package. */

/** What became of a run: its process is at work, it came to its end, it failed, or it stopped before. */
export type RunState = "training" | "done" | "broken" | "interrupted";

/** A run as the list shows it. */
export type RunStatus = {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly state: RunState;
  readonly method: string;
  readonly encoder: string;
  readonly data: string;
  readonly images: number;
  readonly step: number; // steps done
  readonly steps: number; // in all
  readonly epoch: number; // epochs done
  readonly epochs: number;
  readonly loss?: number | undefined; // nats, mean of the last steps
  readonly chanceLoss?: number | undefined; // nats
  readonly knn?: number | undefined; // share, or with no labels the agreement of views
  readonly knnWhat?: "k-NN" | "view agreement" | undefined;
  readonly imagesPerSecond?: number | undefined;
  readonly minutesLeft?: number | undefined;
  readonly started: string; // ISO 8601
  readonly changed: number; // milliseconds since 1970
  readonly pairs: boolean; // whether recorded pairs are there
  readonly diagnosis?: (Diagnosis & { readonly hint?: string | undefined }) | undefined;
};

/** A table of embeddings. */
export type TablePlace = {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly count: number;
  readonly changed: number;
};

/** A folder of images that the studio was started with, or that a run learned from. */
export type ImagesPlace = { readonly id: string; readonly name: string; readonly path: string };

/** Work that the page asked for, done by a process of its own. */
export type Job = {
  readonly id: string;
  readonly verb: string;
  readonly title: string;
  readonly about: string; // id of the run, table or images
  readonly state: "running" | "done" | "failed";
  readonly text: string; // what it said last
  readonly error?: string | undefined;
};

/** Everything that the list of runs shows. */
export type Overview = {
  readonly folders: readonly string[];
  readonly runs: readonly RunStatus[];
  readonly tables: readonly TablePlace[];
  readonly images: readonly ImagesPlace[];
  readonly jobs: readonly Job[];
};

/** A figure of a run over its steps; `y` is null where it was not finite. */
export type Curve = { readonly x: readonly number[]; readonly y: readonly (number | null)[] };

/** Curves by the name of their figure, as far as a part of the records goes. */
export type Curves = Readonly<Record<string, Curve>>;

/** What a stream of a run says: curves from the start, then what was added, and how the run stands. */
export type RunEvent =
  | { readonly kind: "start"; readonly curves: Curves; readonly baselines: Baselines }
  | { readonly kind: "more"; readonly curves: Curves; readonly baselines: Baselines }
  | { readonly kind: "status"; readonly status: RunStatus };

/** What an encoder has to beat. */
export type Baselines = Readonly<Partial<Record<string, number | string>>>;

/** A setting with why it was chosen. */
export type Choice = { readonly path: string; readonly reason: string };

/** What was said and chosen when a run began. */
export type RunAbout = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly choices: readonly Choice[];
  readonly classes: readonly string[];
  readonly machine: string;
  readonly log: string; // its last lines
};

/** A field of the form that starts a training. */
export type Setting = {
  readonly path: string;
  readonly describe: string;
  readonly unit: string | undefined;
  readonly usual: string | undefined; // what holds where it is left empty
  readonly type: "text" | "number" | "choice" | "switch" | "list";
  readonly choices?: readonly string[];
  readonly least?: number;
  readonly most?: number;
};

/** Steps of a run whose pairs were written down. */
export type PairSteps = {
  readonly steps: readonly number[];
  readonly labelled: boolean;
  readonly method: string;
};

/** What was written down of a step. */
export type PairStep = Pick<InspectedStep, "step" | "epoch" | "reasons" | "anchors">;

/** What a table holds. */
export type TableAbout = {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly count: number;
  readonly dimension: number;
  readonly encoder: string;
  readonly labels: readonly (readonly [label: string, images: number])[];
};

/** An image of a table. */
export type FoundImage = {
  readonly row: number;
  readonly id: string;
  readonly width: number; // pixels, of the original
  readonly height: number;
  readonly group: number;
  readonly label?: string;
  readonly similarity?: number; // cosine, to what was asked with
};

/** What a search found. */
export type SearchAnswer = {
  readonly vectors: number;
  readonly milliseconds: number;
  readonly hits: readonly FoundImage[];
  readonly query?: FoundImage;
};

/** Images that look alike. */
export type AlikeImages = {
  readonly kind: string; // identical, near, similar or mutual
  readonly images: readonly {
    readonly row: number;
    readonly id: string;
    readonly width: number; // pixels
    readonly height: number;
    readonly change: string | null; // what was done to it, from the first
    readonly label?: string | undefined;
  }[];
};

/** An image that is unlike the others. */
export type OddImage = {
  readonly row: number;
  readonly id: string;
  readonly score: number; // distance to its neighbours, in usual ones
  readonly odd: boolean; // whether the score is above the limit
  readonly near: { readonly row: number; readonly similarity: number } | null;
  readonly label?: string | undefined;
};

/** What is to be decided about images, and what was. */
export type Review = {
  readonly name: string;
  readonly file: string; // of the decisions
  readonly count: number;
  readonly isTable: boolean;
  readonly groups?: readonly AlikeImages[] | undefined; // undefined until they were looked for
  readonly odd?: readonly OddImage[] | undefined;
  readonly decisions: readonly Decision[];
};

/** How far a map is. */
export type MapState =
  | { readonly state: "none" | "done" }
  | { readonly state: "making"; readonly share: number }
  | { readonly state: "failed"; readonly error: string };

/** What is known of the map of a table. */
export type MapAbout = MapState & { readonly count: number; readonly labels: readonly string[] };
