import { randomStream } from "../../core/random.ts";
import type { RandomStream } from "../../core/random.ts";
import type { SampleFactors } from "./factors.ts";
import { extentOf, pathData, turned } from "./geometry.ts";
import type { SampleBox, Ring } from "./geometry.ts";
import { drawOutline } from "./outlines.ts";
import type { SampleOptions } from "./sampleOptions.ts";

/** Where the object of an image lies. */
export type Scene = {
  rings: Ring[]; // pixels
  centre: [x: number, y: number]; // of the object's exact extent, pixels
  box: SampleBox; // every pixel the object touches, contour line included
  stroke: number; // width of the contour line, pixels
};

const hundredth = (value: number) => Math.round(value * 100) / 100;

/** The object of an image: drawn, turned, scaled to its size and put into its place. */
export function drawScene(options: SampleOptions, factors: SampleFactors): Scene {
  const side = options.size;
  const stroke = options.outline === 0 ? 0 : hundredth(Math.max(1, options.outline * side));
  const stream = randomStream(options.seed, factors.split, "outline", factors.index);
  const upright = drawOutline(factors.shape, options.deformation, stream);
  const rings = upright.map((ring) => turned(ring, factors.rotation));
  const { left, top, right, bottom } = extentOf(rings);
  const scale = (factors.size * side - stroke) / Math.max(right - left, bottom - top);
  const place = (low: number, high: number, share: number) => {
    const room = side - stroke - (high - low) * scale;
    return share * room + stroke / 2 - low * scale;
  };
  const [dx, dy] = [place(left, right, factors.room[0]), place(top, bottom, factors.room[1])];
  const placed = rings.map((ring) =>
    ring.map(([x, y]) => [hundredth(x * scale + dx), hundredth(y * scale + dy)] as const),
  );
  const exact = extentOf(placed);
  const low = (value: number) => Math.max(0, Math.floor(value - stroke / 2));
  const high = (value: number) => Math.min(side, Math.ceil(value + stroke / 2));
  const [x, y] = [low(exact.left), low(exact.top)];
  return {
    rings: placed,
    centre: [(exact.left + exact.right) / 2, (exact.top + exact.bottom) / 2],
    box: [x, y, high(exact.right) - x, high(exact.bottom) - y],
    stroke,
  };
}

function drawMark(side: number, stream: RandomStream): string {
  const at = () => hundredth(stream.uniform(-0.05, 1.05) * side);
  const near = (reach: number) => hundredth(stream.uniform(-reach, reach) * side);
  const [x, y] = [at(), at()];
  const ink = `rgb(0,0,${Math.round(255 * stream.uniform(0.3, 0.95))})`;
  const width = (stream.uniform(0.012, 0.03) * side).toFixed(2);
  const line = `fill="none" stroke="${ink}" stroke-linecap="round" stroke-width="${width}"`;
  const radius = (stream.uniform(0.012, 0.05) * side).toFixed(2);
  const flat = (stream.uniform(0.012, 0.05) * side).toFixed(2);
  switch (stream.integer(4)) {
    case 0:
      return `<path ${line} d="M${x} ${y}l${near(0.16)} ${near(0.16)}"/>`;
    case 1:
      return `<path ${line} d="M${x} ${y}q${near(0.1)} ${near(0.1)} ${near(0.18)} ${near(0.18)}"/>`;
    case 2:
      return `<circle ${line} cx="${x}" cy="${y}" r="${radius}"/>`;
    default:
      return `<ellipse fill="${ink}" cx="${x}" cy="${y}" rx="${radius}" ry="${flat}" transform="rotate(${stream.integer(180)} ${x} ${y})"/>`;
  }
}

/**
 * SVG elements of an image as a map of what covers what: red where the object's fill shows, green
 * where its contour line does, blue where clutter does.
 */
export function sceneElements(
  options: SampleOptions,
  factors: SampleFactors,
  scene: Scene,
): string {
  const stream = randomStream(options.seed, factors.split, "clutter", factors.index);
  const marks = Array.from({ length: factors.clutter }, () => drawMark(options.size, stream));
  const line =
    scene.stroke === 0
      ? ""
      : ` stroke="#0f0" stroke-linejoin="round" stroke-width="${scene.stroke}"`;
  const object = `<path fill="#f00" fill-rule="evenodd"${line} d="${pathData(scene.rings)}"/>`;
  return marks.join("") + object;
}
