import type { Fact, SkippedFile, Thumbnail } from "../reportData.ts";

/** A picture of a set, or what is known of it where the picture is gone. */
export type Shown = Omit<Thumbnail, "source"> & {
  readonly source?: string | undefined;
  /** Where the original lies, as seen from the page. */
  readonly link?: string | undefined;
  readonly similarity?: number | undefined; // cosine
  readonly note?: string | undefined;
};

/** Images found for one. */
export type SearchPage = {
  readonly query: Shown;
  readonly hits: readonly Shown[];
  readonly condition?: string | undefined; // as given
  readonly facts: readonly Fact[];
};

/** A copy beside the image to keep, laid on it. */
export type ImageDifference = {
  readonly path: string; // of the copy
  readonly change: string; // "mirrored"
  /** Source of three pictures beside each other: the image to keep, the copy, and how they differ. */
  readonly source: string;
};

/** Images of one thing; the first is the one to keep. */
export type ImageGroup = {
  readonly title: string;
  readonly note: string;
  readonly images: readonly Shown[];
  readonly differences?: readonly ImageDifference[];
};

/** Duplicates of a set. */
export type DuplicatesPage = {
  readonly set: string;
  readonly lead: string;
  readonly groups: readonly ImageGroup[];
  readonly more: number; // groups that are not shown
  readonly skipped: readonly SkippedFile[];
  readonly facts: readonly Fact[];
};

/** The odd images of a set, each beside its nearest, the oddest first. */
export type OutliersPage = {
  readonly set: string;
  readonly lead: string;
  readonly k: number;
  readonly outliers: readonly ImageGroup[];
  readonly facts: readonly Fact[];
};

/** Images of a set to label next, each with the reason. */
export type SuggestionsPage = {
  readonly set: string;
  readonly lead: string;
  readonly suggestions: readonly ImageGroup[];
};

/** Clusters of a set. */
export type ClustersPage = {
  readonly set: string;
  readonly lead: string;
  readonly clusters: readonly ImageGroup[];
  readonly facts: readonly Fact[];
};
