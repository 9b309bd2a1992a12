import { parseDocument } from "yaml";

const LONGEST = 32_768; // characters: what makes a parser quadratic takes a second then
const MOST_LINES = 2048; // some hundred mistakes before many empty lines take minutes
const MOST_BRACKETS = 256; // each may open a level
const DEEPEST_INDENT = 64; // columns
const MOST_DASHES = 8; // levels that one line opens

const fail = (what: string): never => {
  throw new SyntaxError(what);
};

/**
 * Refuses text that could nest deeply before it is parsed: the parser goes down level by level, takes minutes for
 * some thousands, and runs out of stack.
 */
function checkNesting(text: string): void {
  if (text.length > LONGEST) fail(`it has ${text.length} characters, expected ${LONGEST} at most`);
  const brackets = text.match(/[[\]{}]/g)?.length ?? 0;
  if (brackets > 2 * MOST_BRACKETS) {
    fail(`it has ${brackets} brackets, expected ${2 * MOST_BRACKETS} at most`);
  }
  const lines = text.split(/\r\n?|\n/);
  if (lines.length > MOST_LINES) {
    fail(`it has ${lines.length} lines, expected ${MOST_LINES} at most`);
  }
  for (const [i, line] of lines.entries()) {
    const [indent] = /^[ \t]*/.exec(line) ?? [""];
    if (indent.length > DEEPEST_INDENT && line.trim() !== "") {
      fail(`line ${i + 1} is indented by more than ${DEEPEST_INDENT} columns`);
    }
    const [signs] = /^(?:[-?:][ \t]+)*/.exec(line.slice(indent.length)) ?? [""];
    if (signs.split(/[ \t]+/).length > MOST_DASHES + 1) {
      fail(`line ${i + 1} opens more than ${MOST_DASHES} levels`);
    }
  }
}

/** Refuses what an alias puts into itself. */
function checkCircles(value: unknown, above: readonly unknown[] = []): void {
  if (typeof value !== "object" || value === null) return;
  if (above.includes(value)) fail("an alias stands for something that it is in");
  for (const child of Object.values(value)) checkCircles(child, [...above, value]);
}

/** The value of YAML that anybody may have written, or of JSON. Throws `SyntaxError`; warnings are errors too. */
export function parseYaml(text: string): unknown {
  checkNesting(text);
  const document = parseDocument(text, { logLevel: "error" });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem?.code === "MULTIPLE_DOCS") fail("it holds several documents, expected one");
  if (problem !== undefined) fail(problem.message);
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  checkCircles(value);
  return value;
}
