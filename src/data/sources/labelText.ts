/** What a file of labels holds as text, and how its bytes were read where they are not UTF-8. */
export type LabelText = { readonly text: string; readonly encoding?: string };

const MARKS = [
  { bytes: [0xff, 0xfe], label: "utf-16le" },
  { bytes: [0xfe, 0xff], label: "utf-16be" },
] as const;

/**
 * The text of a file of labels: UTF-8, UTF-16 where it begins with its mark, as tables of office programs do, else
 * Windows-1252, in which every byte is a letter of its own, so that labels stay apart.
 */
export function decodeLabels(bytes: Uint8Array): LabelText {
  const mark = MARKS.find(
    ({ bytes: [first, second] }) => bytes[0] === first && bytes[1] === second,
  );
  if (mark !== undefined) {
    return { text: new TextDecoder(mark.label).decode(bytes), encoding: "UTF-16" };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "Windows-1252" };
  }
}
