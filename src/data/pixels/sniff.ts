const text = (bytes: Uint8Array, from: number, length: number) =>
  String.fromCharCode(...bytes.subarray(from, from + length));

const brands: Record<string, string> = {
  avif: "avif",
  avis: "avif sequence",
  heic: "heif",
  heix: "heif",
  hevc: "heif",
  mif1: "heif",
  msf1: "heif",
};

function imageKind(bytes: Uint8Array): string | undefined {
  const start = text(bytes, 0, 12);
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("\x89PNG")) return "png";
  if (start.startsWith("GIF8")) return "gif";
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "webp";
  if (/^(II[*+]\0|MM\0[*+])/.test(start)) return "tiff"; // + in files over 4 GiB
  if (start.slice(4, 8) === "ftyp") return brands[start.slice(8, 12)];
  if (start.startsWith("BM") && bytes.length > 26) return "bmp";
  if (start.startsWith("\0\0\x01\0")) return "ico";
  if (/^P[1-6]\s/.test(start)) return "netpbm";
  if (start.startsWith("\0\0\0\x0cjP")) return "jpeg 2000";
  if (start.startsWith("\xff\x0a") || start.slice(4, 8) === "JXL ") return "jpeg xl";
  return undefined;
}

function otherKind(bytes: Uint8Array): string {
  const start = text(bytes, 0, 200).trimStart().toLowerCase();
  if (start.startsWith("version https://git-lfs")) return "git-lfs pointer";
  if (start.startsWith("<!doctype html") || start.startsWith("<html")) return "html page";
  if (start.startsWith("%pdf")) return "pdf";
  if (text(bytes, 0, 4096).includes("<svg")) return "svg";
  if (start.startsWith("pk\x03\x04")) return "zip archive";
  if (bytes.every((byte) => byte === 0)) return "zero bytes";
  const printable = bytes.every((byte) => (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13));
  return printable && bytes.length > 3 ? "text" : "unknown";
}

/** Kinds of image file, as `sniff` names them, that can be decoded. */
export const decodable: readonly string[] = ["jpeg", "png", "gif", "webp", "tiff", "avif", "heif"];

/** What a file is from its first bytes (256 suffice), whatever its name says. */
export function sniff(bytes: Uint8Array): string {
  if (bytes.length === 0) return "empty";
  return imageKind(bytes) ?? otherKind(bytes.subarray(0, 4096));
}

const advice: Record<string, string> = {
  empty: "the file is empty",
  "git-lfs pointer": "it is a Git LFS pointer, not the image itself (run git lfs pull)",
  "html page": "it is an HTML page, not an image (a failed download?)",
  pdf: "it is a PDF document, not an image",
  "zero bytes": "it holds nothing but zero bytes (a failed download?)",
  "zip archive": "it is a zip archive, not an image",
  text: "it is text, not an image",
};
const unsupported = ["bmp", "ico", "netpbm", "jpeg 2000", "jpeg xl", "avif sequence", "heif"];

/** Why bytes that a decoder refused are no image, or undefined where they look like one. */
export function whyNoImage(bytes: Uint8Array): string | undefined {
  const kind = sniff(bytes);
  if (unsupported.includes(kind)) {
    return `${kind.toUpperCase()} images are not supported; convert it to PNG or JPEG`;
  }
  return advice[kind];
}
