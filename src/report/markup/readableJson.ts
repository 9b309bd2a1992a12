const WIDTH = 80; // characters of a line

/** JSON with two spaces a level; what fits a line stays on it. What JSON cannot hold becomes null. */
export function readableJson(value: unknown): string {
  return printed(JSON.parse(JSON.stringify(value) ?? "null"), "");
}

function printed(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const members = isList
    ? value.map((one) => printed(one, inner))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${printed(one, inner)}`);
  const [open, close] = isList ? ["[", "]"] : ["{ ", " }"];
  const line = `${open}${members.join(", ")}${close}`;
  if (members.length === 0) return isList ? "[]" : "{}";
  const flat = indent !== "" && !line.includes("\n") && indent.length + line.length <= WIDTH;
  if (flat) return line;
  return `${open.trim()}\n${inner}${members.join(`,\n${inner}`)}\n${indent}${close.trim()}`;
}
