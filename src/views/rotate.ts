/**
 * Turns size × size interleaved RGB about its middle, counter-clockwise by `degrees`, bilinear. What
 * comes from outside the picture is black, as torchvision's `rotate` with its default fill.
 */
export function rotate(from: Float32Array, to: Float32Array, size: number, degrees: number): void {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const middle = (size - 1) / 2;
  for (let y = 0, o = 0; y < size; y++) {
    for (let x = 0; x < size; x++, o += 3) {
      const [dx, dy] = [x - middle, y - middle];
      const u = cos * dx - sin * dy + middle;
      const v = sin * dx + cos * dy + middle;
      sampleInto(from, to, size, { u, v, o });
    }
  }
}

function sampleInto(
  from: Float32Array,
  to: Float32Array,
  size: number,
  { u, v, o }: { u: number; v: number; o: number },
): void {
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [right, down] = [u - left, v - top];
  to[o] = to[o + 1] = to[o + 2] = 0;
  for (let corner = 0; corner < 4; corner++) {
    const x = left + (corner & 1);
    const y = top + (corner >> 1);
    if (x < 0 || x >= size || y < 0 || y >= size) continue;
    const weight = (corner & 1 ? right : 1 - right) * (corner >> 1 ? down : 1 - down);
    const i = (y * size + x) * 3;
    to[o] += weight * from[i];
    to[o + 1] += weight * from[i + 1];
    to[o + 2] += weight * from[i + 2];
  }
}
