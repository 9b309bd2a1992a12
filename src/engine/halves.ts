const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** The number that bits of a float16 stand for (IEEE 754 binary16). */
export function fromFloat16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The number that bits of a bfloat16 stand for: the upper half of a float32. */
export function fromBfloat16(bits: number): number {
  words[0] = bits << 16;
  return floats[0];
}

/** The bits of a number as float16, rounded to the nearest, ties to even; what is too large is infinite. */
export function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const units = size / 2 ** (exponent - 10); // below 2048, exact
  const floor = Math.floor(units);
  const rest = units - floor;
  const rounded = floor + Number(rest > 0.5 || (rest === 0.5 && floor % 2 === 1));
  return sign | (rounded < 1024 ? rounded : ((exponent + 14) << 10) + rounded); // a carry moves the exponent on
}
