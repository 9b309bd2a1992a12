const START = 0xffd8;
const PIXELS = 0xffda; // markers (ITU-T T.81, table B.1)
const FRAMES = [0xffc0, 0xffc1, 0xffc2];
const JFIF = 0xffe0;
const COMMENT = 0xfffe;

/**
 * Width and height of a JPEG file that holds nothing besides its pixels, three channels of 8 bits: no EXIF, colour
 * profile or comment. Undefined for any other file.
 */
export function plainJpeg(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== START) return undefined;
  let size: { width: number; height: number } | undefined;
  for (let at = 2; at + 10 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === PIXELS) return size;
    if ((marker > JFIF && marker <= JFIF + 15) || marker === COMMENT || marker < FRAMES[0]) {
      return undefined;
    }
    if (!FRAMES.includes(marker)) continue;
    const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
    if (size !== undefined || bytes[at + 4] !== 8 || bytes[at + 9] !== 3) return undefined;
    if (width === 0 || height === 0) return undefined;
    size = { width, height };
  }
  return undefined;
}
