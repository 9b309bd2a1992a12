const ORIGINAL = 0x9003; // when the picture was taken
const FRACTION = 0x9291; // hundredths or thousandths of its second
const DETAILS = 0x8769; // where the block of these two begins
const TEXT = 2;

type Reader = { u16(at: number): number; u32(at: number): number; bytes: Uint8Array };

function readerOf(exif: Uint8Array): Reader | undefined {
  const prefixed = String.fromCharCode(...exif.subarray(0, 4)) === "Exif";
  const bytes = prefixed ? exif.subarray(6) : exif;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) return undefined;
  const little = view.getUint16(0) === 0x4949;
  if (!little && view.getUint16(0) !== 0x4d4d) return undefined;
  const within = (at: number, size: number) => at >= 0 && at + size <= bytes.length;
  return {
    u16: (at) => (within(at, 2) ? view.getUint16(at, little) : 0),
    u32: (at) => (within(at, 4) ? view.getUint32(at, little) : 0),
    bytes,
  };
}

/** Where the entry of a tag lies in a block of entries. */
function find(reader: Reader, block: number, tag: number): number | undefined {
  const count = reader.u16(block);
  for (let i = 0; i < count; i++) {
    const entry = block + 2 + 12 * i;
    if (entry + 12 > reader.bytes.length) return undefined;
    if (reader.u16(entry) === tag) return entry;
  }
  return undefined;
}

function text(reader: Reader, block: number, tag: number): string {
  const entry = find(reader, block, tag);
  if (entry === undefined || reader.u16(entry + 2) !== TEXT) return "";
  const length = Math.min(reader.u32(entry + 4), 64);
  const start = length <= 4 ? entry + 8 : reader.u32(entry + 8);
  return String.fromCharCode(...reader.bytes.subarray(start, start + length)).replace(/\0.*$/s, "");
}

/** When a picture was taken, in milliseconds since 1970 by the camera's clock taken as UTC, from its EXIF block. */
export function exifTime(exif: Uint8Array): number | undefined {
  const reader = readerOf(exif);
  if (reader === undefined) return undefined;
  const details = find(reader, reader.u32(4), DETAILS);
  if (details === undefined) return undefined;
  const block = reader.u32(details + 8);
  const match = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text(reader, block, ORIGINAL));
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const fraction = Number(`0.${/^\d+/.exec(text(reader, block, FRACTION))?.[0] ?? "0"}`);
  const time = Date.UTC(year, month - 1, day, hour, minute, second) + Math.round(1000 * fraction);
  return year >= 1970 && Number.isFinite(time) ? time : undefined;
}
