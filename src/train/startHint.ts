const PHOTOGRAPH = 96; // pixels of the shorter side from which images are photographs rather than tiny or drawn ones

/** What is worth knowing before photographs are learned from nothing; undefined for smaller images. */
export function startHint(shortSide: number | undefined): string | undefined {
  if (shortSide === undefined || shortSide <= PHOTOGRAPH) return undefined;
  return `on photographs (these have ${shortSide} px) a pretrained encoder, untouched, is usually far better than training from nothing: contrapose list starts, then embed --from NAME as it is, or train --from NAME to adapt it`;
}
