/**
 * Turns a plane of size × size about its middle, counter-clockwise by `degrees`, bilinear. What
 * comes from outside the picture is black, as torchvision's `rotate` with its default fill.
 */
export function rotatePlane(
  from: Float32Array,
  to: Float32Array,
  size: number,
  degrees: number,
): void {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const middle = (size - 1) / 2;
  for (let y = 0, o = 0; y < size; y++) {
    for (let x = 0; x < size; x++, o++) {
      const [dx, dy] = [x - middle, y - middle];
      to[o] = sampled(from, size, cos * dx - sin * dy + middle, sin * dx + cos * dy + middle);
    }
  }
}

function sampled(from: Float32Array, size: number, u: number, v: number): number {
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [right, down] = [u - left, v - top];
  let sum = 0;
  for (let corner = 0; corner < 4; corner++) {
    const x = left + (corner & 1);
    const y = top + (corner >> 1);
    if (x < 0 || x >= size || y < 0 || y >= size) continue;
    const weight = (corner & 1 ? right : 1 - right) * (corner >> 1 ? down : 1 - down);
    sum += weight * from[y * size + x];
  }
  return sum;
}
