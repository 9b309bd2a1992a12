/** Values as a line of CSV (RFC 4180), the line's end included. */
export function csvLine(values: readonly (string | number)[]): string {
  const cells = values.map((value) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(",")}\n`;
}
