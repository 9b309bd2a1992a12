const COMPRESSION = 259; // tag of TIFF (TIFF 6.0, section 8)
const JPEG_IN_TIFF = [6, 7];

function tiffCompression(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const start = view.getUint32(4, little);
  if (start + 2 > bytes.length) return undefined;
  const count = view.getUint16(start, little);
  for (let at = start + 2; at < start + 2 + 12 * count && at + 12 <= bytes.length; at += 12) {
    if (view.getUint16(at, little) === COMPRESSION) return view.getUint16(at + 8, little);
  }
  return undefined;
}

/** Whether the first bitmap in a WebP file is a lossless one (chunk VP8L, against VP8). */
function isLosslessWebp(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= file.length;) {
    const type = file.toString("latin1", at, at + 4);
    if (type === "VP8L" || type === "VP8 ") return type === "VP8L";
    const size = file.readUInt32LE(at + 4);
    at += type === "ANMF" ? 8 + 16 : 8 + size + (size % 2); // a frame holds chunks of its own
  }
  return false;
}

/**
 * Whether an image file keeps every pixel that it was made of, as far as its format tells.
 *
 * @param kind as `sniff` names it
 */
export function isLossless(bytes: Uint8Array, kind: string): boolean {
  if (kind === "webp") return isLosslessWebp(bytes);
  if (kind === "tiff") return !JPEG_IN_TIFF.includes(tiffCompression(bytes) ?? 1);
  return kind === "png" || kind === "gif" || kind === "svg";
}
