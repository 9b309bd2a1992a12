import type { PixelImage } from "../../core/pixels.ts";

/** A rectangle in pixels: left, top, width, height. */
export type Box = readonly [left: number, top: number, width: number, height: number];

/** What an entry holds: an image file's bytes, or pixels that need no decoding. */
export type RawContent = { readonly bytes: Uint8Array } | { readonly image: PixelImage };

/** An image of a source before it is decoded. */
export type RawEntry = {
  /** The same at every reading of the same files: path within the source, or file and record number. */
  readonly id: string;
  /** The file it is in, from the source's folder, with forward slashes. */
  readonly path: string;
  /** Changes whenever the file may have changed: its size and time. */
  readonly stamp: string;
  readonly label?: string;
  /** Entries of one group are images of one thing: never each other's negatives. */
  readonly group?: string;
  /** The object, in pixels of the upright image. */
  readonly box?: Box;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly modified?: number;
  /** Bytes that are held from when the entry is given, or by loading it, until it is dealt with. */
  readonly size: number;
  /** Gives the content. Fails where the file cannot be read. */
  load(): Promise<RawContent>;
};

/** A file that gave no image, and why. `ignored`: it was never meant as one (notes, hidden files). */
export type Skipped = { readonly path: string; readonly reason: string; readonly ignored?: true };

/** Kinds of places that images are read from. */
export type SourceKind = "folder" | "cifar" | "idx" | "tar";

/** Images in one place, in an order that only depends on their names. */
export type ImageSource = {
  readonly kind: SourceKind;
  readonly path: string; // absolute
  readonly count?: number; // where known before reading, those that will be skipped among them
  readonly classes?: readonly string[]; // in the order that the files give them
  /** What was decided about the place, in sentences for people. */
  readonly notes: readonly string[];
  /** What is read of a place with parts of which others are left out. */
  readonly part?: string;
  /** Whether something there was not understood or fits nothing, so that the notes are worth repeating. */
  readonly warned?: boolean;
  entries(skip: (skipped: Skipped) => void): AsyncIterable<RawEntry>;
};

/**
 * Which part of a dataset is read: `auto` the training part and what has no labels, `heldOut` the test
 * part, else the one to choose by; a place without parts is read whole.
 */
export type SplitChoice = "heldOut" | (typeof splitNames)[number];

/** The choices that a person has. */
export const splitNames = ["auto", "train", "val", "test", "unlabeled", "all"] as const;

/** Choices about how a place is read. */
export type SourceOptions = {
  readonly reader?: SourceKind; // found from the files where absent
  readonly split?: SplitChoice;
  /** `auto`: class folders where they look like classes; a number: the folder level, 0 outermost. */
  readonly labels?: "auto" | "none" | number;
};

/** One sentence of an unknown failure. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
