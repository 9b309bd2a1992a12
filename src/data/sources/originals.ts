import { availableParallelism } from "node:os";

import { DataError } from "../../core/errors.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { quoted } from "../../core/quote.ts";
import { decodeImage } from "../pixels/decodeImage.ts";
import { inOrder } from "../inOrder.ts";
import type { PackedHeader } from "../packed/packedIndex.ts";
import { LARGEST } from "./records.ts";
import type { ImageSource, RawEntry } from "./source.ts";

/**
 * Images of a source of the size that their files have, decoded again by the settings of its packed form, several at
 * a time: those of `ids`, which are in the order of the source. Throws `DataError` where one is gone.
 */
export async function* readOriginals(
  source: ImageSource,
  { settings: { damaged }, ranges = [] }: Pick<PackedHeader, "settings" | "ranges">,
  ids: readonly string[],
): AsyncGenerator<PixelImage> {
  let at = 0;
  async function* asked() {
    for await (const entry of source.entries(() => undefined)) {
      if (at === ids.length) return;
      if (entry.id !== ids[at]) continue;
      at++;
      yield entry;
    }
  }
  const width = {
    values: 1 + availableParallelism(), // whole photographs are held
    bytes: LARGEST,
    sizeOf: ({ size }: RawEntry) => size,
  };
  yield* inOrder(asked(), width, async (entry) => {
    const content = await entry.load();
    if ("image" in content) return content.image;
    return (await decodeImage(content.bytes, { damaged, ranges }, entry.id)).image;
  });
  if (at < ids.length) {
    throw new DataError(
      `data: ${quoted(ids[at])} is not in ${quoted(source.path)} any more`,
      "run the command again: it looks anew at what is there",
    );
  }
}
