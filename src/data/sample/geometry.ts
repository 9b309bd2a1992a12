/** A point [x, y]; y points down. */
export type Point = readonly [x: number, y: number];
/** A closed line; the last point is joined to the first. */
export type Ring = readonly Point[];
/** A rectangle in pixels: left, top, width, height. */
export type SampleBox = [x: number, y: number, width: number, height: number];
/** Left, top, right and bottom of a set of points. */
export type Extent = { left: number; top: number; right: number; bottom: number };

/** The ring of `count` points at(t), t from 0 to 1. */
export function sampled(count: number, at: (t: number) => Point): Ring {
  return Array.from({ length: count }, (_, i) => at(i / count));
}

/** The point at a distance from the origin in a direction in turns of the circle, clockwise from the right. */
export function polar(radius: number, turns: number): Point {
  const angle = 2 * Math.PI * turns;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

function towards([x, y]: Point, [toX, toY]: Point, distance: number): Point {
  const length = Math.hypot(toX - x, toY - y);
  const share = length === 0 ? 0 : Math.min(distance / length, 0.5);
  return [x + share * (toX - x), y + share * (toY - y)];
}

/** The ring with each corner replaced by a curve that leaves the sides `radius` before the corner. */
export function rounded(ring: Ring, radius: number): Ring {
  const steps = 5;
  return ring.flatMap((corner, i) => {
    const from = towards(corner, ring[(i + ring.length - 1) % ring.length], radius);
    const to = towards(corner, ring[(i + 1) % ring.length], radius);
    return Array.from({ length: steps + 1 }, (_, k): Point => {
      const t = k / steps;
      const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
      return [a * from[0] + b * corner[0] + c * to[0], a * from[1] + b * corner[1] + c * to[1]];
    });
  });
}

/** The ring with points added so that no two neighbours lie further apart than `step`. */
export function subdivided(ring: Ring, step: number): Ring {
  return ring.flatMap((from, i) => {
    const to = ring[(i + 1) % ring.length];
    const parts = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / step));
    return Array.from({ length: parts }, (_, k): Point => {
      const t = k / parts;
      return [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])];
    });
  });
}

/** The ring turned clockwise about the origin. */
export function turned(ring: Ring, degrees: number): Ring {
  const [cos, sin] = polar(1, degrees / 360);
  return ring.map(([x, y]) => [x * cos - y * sin, x * sin + y * cos]);
}

/** The smallest upright rectangle around all points. */
export function extentOf(rings: readonly Ring[]): Extent {
  const extent = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const ring of rings) {
    for (const [x, y] of ring) {
      extent.left = Math.min(extent.left, x);
      extent.top = Math.min(extent.top, y);
      extent.right = Math.max(extent.right, x);
      extent.bottom = Math.max(extent.bottom, y);
    }
  }
  return extent;
}

/** SVG path data of closed rings, to a hundredth of a pixel. */
export function pathData(rings: readonly Ring[]): string {
  return rings.map((ring) => `M${ring.map(([x, y]) => `${x} ${y}`).join("L")}Z`).join("");
}
