/** A decoded image: 8-bit RGB, rows of pixels from the top left, `data[(y * width + x) * 3 + channel]`. */
export type PixelImage = {
  readonly width: number; // pixels
  readonly height: number; // pixels
  readonly channels: 3;
  readonly data: Uint8Array; // [height, width, 3]
};

/** CRC-32 of the pixels of each image, and 1 where they have been compared with what is stored. */
export type Checksums = {
  readonly crc: Uint32Array; // [count]
  readonly compared: Uint8Array; // [count]
};

/** Where the pixels of each image of a dataset lie. Row i describes image i; images lie unpadded. */
export type PixelLayout = {
  readonly count: number; // images
  readonly segments: Uint16Array | Uint32Array | Int32Array; // [count], which segment or shard file
  readonly offsets: Float64Array; // [count], bytes from the start of the segment
  readonly widths: Uint16Array | Uint32Array | Int32Array; // [count], pixels
  readonly heights: Uint16Array | Uint32Array | Int32Array; // [count], pixels
  readonly groups?: Int32Array; // [count], images of one known group; absent: every image its own
};

/**
 * Pixels of a dataset described so plainly that worker threads can be handed the description.
 *
 * `shared`: in memory that threads share. `files`: read from shard files at `offsets`. Tables over a
 * `SharedArrayBuffer` reach the workers without a copy.
 */
export type PixelSource = PixelLayout &
  (
    | { readonly kind: "shared"; readonly buffers: readonly SharedArrayBuffer[] }
    | {
        readonly kind: "files";
        readonly paths: readonly string[];
        readonly checksums?: Checksums; // absent: pixels are taken as they are
      }
  );
