import { harmless } from "../core/quote.ts";

const LONGEST = 300; // characters

const node =
  /^Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /;
const place = /\S+\.(?:h|hpp|cc|cpp):\d+ /;

/** Length of the C++ function that a text begins with, as `void ns::Class::name(int, T) const ` or `name `. */
function functionLength(text: string): number {
  const opening = text.indexOf("(");
  const named = /^[\w~]+ /.exec(text)?.[0].length ?? 0;
  if (opening < 0 || !text.slice(0, opening).includes("::")) return named;
  let depth = 0;
  for (let at = opening; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")") depth--;
    if (depth > 0) continue;
    const after = /^\)(?: const)?(?: \[with [^\]]*\])? /.exec(text.slice(at));
    return after === null ? named : at + after[0].length;
  }
  return named;
}

/**
 * What ONNX Runtime says of a failure, in one line of at most 300 characters: which node, and what is wrong, without
 * the place in the runtime's own code and the condition there.
 */
export function runtimeMessage(cause: unknown): string {
  const whole = cause instanceof Error ? cause.message : String(cause);
  const [said] = whole.split(/\n\s*Stacktrace/i);
  let text = said.replace(/\s+/g, " ").trim();
  text = text.replace(node, (_, kind: string, name: string) => `${kind} node ${name}: `);
  const found = place.exec(text);
  if (found !== null) {
    const rest = text.slice(found.index + found[0].length);
    const reason = rest.slice(functionLength(rest)).replace(/^.*? was false\. /, "");
    text = text.slice(0, found.index) + reason;
  }
  return harmless(text).slice(0, LONGEST);
}
