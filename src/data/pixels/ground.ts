const GROUNDS = [255, 128, 0]; // grey levels, white where it will do
const EDGE = 8; // levels of alpha between neighbours that make an outline
const SHOWN = 1 / 8; // levels of colour a level of alpha that make it seen: 32 at a hard edge
const LOST = 0.1; // share of the outline that a ground may hide

/** Whether any pixel of `rgba` [pixels, 4] is not opaque. */
export function isTransparent(rgba: Uint8Array): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] < 255) return true;
  return false;
}

/** Share of the outlines of visible marks, 0 … 1, that cannot be seen on a grey ground; alpha [height, width, 4]. */
function lostOn(rgba: Uint8Array, width: number, ground: number): number {
  let [outline, lost] = [0, 0];
  const compare = (p: number, q: number) => {
    const [above, below] = [rgba[p + 3], rgba[q + 3]];
    const step = Math.abs(above - below);
    if (step < EDGE) return;
    let difference = 0;
    for (let c = 0; c < 3; c++) {
      const change = above * (rgba[p + c] - ground) - below * (rgba[q + c] - ground);
      difference = Math.max(difference, Math.abs(change) / 255);
    }
    outline += step;
    if (difference < SHOWN * step) lost += step;
  };
  for (let at = 0; at < rgba.length; at += 4) {
    if ((at / 4 + 1) % width !== 0) compare(at, at + 4);
    if (at + 4 * width < rgba.length) compare(at, at + 4 * width);
  }
  return outline === 0 ? 0 : lost / outline;
}

/**
 * The grey level to lay under a transparent image so that what is in it shows: white, unless more than a
 * tenth of its outlines would be lost on white; then middle grey, then black, or what loses least.
 *
 * @param rgba [height, width, 4], colour not multiplied by alpha
 */
export function groundOf(rgba: Uint8Array, width: number): number {
  const lost = GROUNDS.map((ground) => lostOn(rgba, width, ground));
  const good = lost.findIndex((share) => share <= LOST);
  return GROUNDS[good === -1 ? lost.indexOf(Math.min(...lost)) : good];
}

/** `rgba` [pixels, 4] laid over a grey level, [pixels, 3]. */
export function layOver(rgba: Uint8Array, ground: number): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3] / 255;
    for (let c = 0; c < 3; c++) {
      rgb[to++] = Math.round(ground + alpha * (rgba[from + c] - ground));
    }
  }
  return rgb;
}
