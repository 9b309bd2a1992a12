import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";

/** A value in a condition. */
export type Literal = string | number;

/** Comparisons of a column with a value. */
export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A condition on the columns of a table of embeddings. SQL's meaning: what is missing compares with nothing. */
export type Filter =
  | { readonly kind: "and" | "or"; readonly parts: readonly Filter[] }
  | { readonly kind: "not"; readonly part: Filter }
  | {
      readonly kind: "compare";
      readonly column: Column;
      readonly operator: Operator;
      readonly value: Literal;
    }
  | { readonly kind: "in"; readonly column: Column; readonly values: readonly Literal[] }
  | { readonly kind: "like"; readonly column: Column; readonly pattern: string }
  | { readonly kind: "missing"; readonly column: Column };

/** Columns that conditions may name, and what they hold. */
export const filterColumns = {
  id: "text",
  path: "text",
  label: "text",
  group: "number",
  width: "number",
  height: "number",
} as const;

/** The name of a column. */
export type Column = keyof typeof filterColumns;

type Token = { kind: "word" | "text" | "number" | "sign" | "end"; text: string; at: number };

const pattern =
  /\s*(?:('(?:[^']|'')*')|("(?:[^"]|"")*")|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(<>|!=|<=|>=|[=<>(),]))/y;

const HINT = `as in "label = 'shoe' and width > 200"`;

function fail(source: string, at: number, expected: string): never {
  const rest = source.slice(at, at + 100).trim();
  const is = rest === "" ? "the end" : quoted(rest.slice(0, 20));
  throw new ConfigError(`--where: expected ${expected} at ${is} in ${quoted(source)}`, HINT);
}

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  const text = source.trimEnd();
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) fail(source, at, "a column, a value or a comparison");
    const [, single, double, number, word, sign] = match;
    if (single !== undefined) {
      tokens.push({ kind: "text", text: single.slice(1, -1).replaceAll("''", "'"), at });
    } else if (double !== undefined) {
      tokens.push({ kind: "word", text: double.slice(1, -1).replaceAll('""', '"'), at });
    } else if (number !== undefined) tokens.push({ kind: "number", text: number, at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, at });
    else tokens.push({ kind: "sign", text: sign, at });
  }
  return [...tokens, { kind: "end", text: "", at: source.length }];
}

const CHARACTERS = 100_000; // of a condition at most
const VALUE = 1000; // characters of a text or number at most
const LARGEST = 1e15; // number at most: exact everywhere
const DEPTH = 100; // of parentheses and `not` in each other

/** Reads a condition by recursive descent: `or` of `and` of `not` of comparisons. */
class Parser {
  private place = 0;
  private depth = 0;
  private readonly source: string;
  private readonly tokens: Token[];

  constructor(source: string) {
    this.source = source;
    this.tokens = tokensOf(source);
  }

  whole(): Filter {
    const filter = this.either();
    if (this.next.kind !== "end") this.fail("and, or, or the end");
    return filter;
  }

  private get next(): Token {
    return this.tokens[this.place];
  }

  private fail(expected: string): never {
    return fail(this.source, this.next.at, expected);
  }

  /** Whether the next token is this word or sign; takes it then. */
  private takes(text: string): boolean {
    const { kind, text: found } = this.next;
    const same = kind === "word" ? found.toLowerCase() === text : kind === "sign" && found === text;
    if (same) this.place++;
    return same;
  }

  private needs(text: string): void {
    if (!this.takes(text)) this.fail(text);
  }

  private either(): Filter {
    const parts = [this.both()];
    while (this.takes("or")) parts.push(this.both());
    return parts.length === 1 ? parts[0] : { kind: "or", parts };
  }

  private both(): Filter {
    const parts = [this.single()];
    while (this.takes("and")) parts.push(this.single());
    return parts.length === 1 ? parts[0] : { kind: "and", parts };
  }

  private single(): Filter {
    if (++this.depth > DEPTH) this.fail(`at most ${DEPTH} parentheses in each other`);
    const filter = this.simple();
    this.depth--;
    return filter;
  }

  private simple(): Filter {
    if (this.takes("not")) return { kind: "not", part: this.single() };
    if (this.takes("(")) {
      const inner = this.either();
      this.needs(")");
      return inner;
    }
    return this.condition();
  }

  private column(): Column {
    const { kind, text } = this.next;
    if (kind !== "word") this.fail("a column");
    const names = Object.keys(filterColumns);
    const found = names.find((name) => name === text.toLowerCase());
    if (found === undefined) {
      const near = suggest(text.slice(0, 40), names);
      throw new ConfigError(
        `--where: ${quoted(text)} is no column, expected one of ${names.join(", ")}`,
        near === undefined ? HINT : `did you mean ${near}?`,
      );
    }
    this.place++;
    return found as Column;
  }

  private value(column: Column): Literal {
    const { kind, text } = this.next;
    const wanted = filterColumns[column];
    if (kind !== wanted) this.fail(wanted === "text" ? "a text in single quotes" : "a number");
    if (text.length > VALUE) this.fail(`a value of at most ${VALUE} characters`);
    if (kind === "number" && Math.abs(Number(text)) > LARGEST) {
      this.fail(`a number of at most ${LARGEST}`);
    }
    this.place++;
    return kind === "number" ? Number(text) : text;
  }

  private condition(): Filter {
    const column = this.column();
    if (this.takes("is")) {
      const not = this.takes("not");
      this.needs("null");
      return negated({ kind: "missing", column }, not);
    }
    const not = this.takes("not");
    if (this.takes("in")) return negated({ kind: "in", column, values: this.list(column) }, not);
    if (this.takes("between")) {
      const least = this.value(column);
      this.needs("and");
      const most = this.value(column);
      const parts: Filter[] = [
        { kind: "compare", column, operator: ">=", value: least },
        { kind: "compare", column, operator: "<=", value: most },
      ];
      return negated({ kind: "and", parts }, not);
    }
    if (this.takes("like")) {
      if (filterColumns[column] !== "text") this.fail(`a comparison of ${column} with a number`);
      return negated({ kind: "like", column, pattern: String(this.value(column)) }, not);
    }
    if (not) this.fail("in, like or between");
    return { kind: "compare", column, operator: this.operator(), value: this.value(column) };
  }

  private list(column: Column): Literal[] {
    this.needs("(");
    const values = [this.value(column)];
    while (this.takes(",")) values.push(this.value(column));
    this.needs(")");
    return values;
  }

  private operator(): Operator {
    const known = ["=", "!=", "<>", "<=", ">=", "<", ">"];
    const { kind, text } = this.next;
    if (kind !== "sign" || !known.includes(text)) this.fail("a comparison as =, < or like");
    this.place++;
    return text === "<>" ? "!=" : (text as Operator);
  }
}

const negated = (filter: Filter, not: boolean): Filter =>
  not ? { kind: "not", part: filter } : filter;

/**
 * Reads a condition as SQL writes it: `label = 'shoe' and width > 200`, with `and`, `or`, `not`, `in`,
 * `like`, `between`, `is null` and parentheses. Throws `ConfigError` saying where it goes wrong.
 */
export function parseFilter(source: string): Filter {
  if (source.length > CHARACTERS) {
    throw new ConfigError(
      `--where: the condition has ${source.length} characters, expected at most ${CHARACTERS}`,
    );
  }
  return new Parser(source).whole();
}

type Values = Readonly<Partial<Record<Column, Literal | undefined>>>;

/** How texts stand to each other by their bytes in UTF-8, as databases order them; numbers by size. */
function order(a: Literal, b: Literal): number {
  if (typeof a === "number" || typeof b === "number") return Number(a) - Number(b);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compares(operator: Operator, a: Literal, b: Literal): boolean {
  if (operator === "=") return a === b;
  if (operator === "!=") return a !== b;
  if (operator === "<") return order(a, b) < 0;
  if (operator === "<=") return order(a, b) <= 0;
  return operator === ">" ? order(a, b) > 0 : order(a, b) >= 0;
}

/**
 * Whether characters are like a pattern of `like`: % any text, _ one character. Goes back to the last %
 * only, so the time is at most their product.
 */
function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  let [t, p] = [0, 0];
  let [any, from] = [-1, 0]; // the last %, and where the text after it may begin
  while (t < text.length) {
    if (pattern[p] === "%") [any, from] = [p++, t];
    else if (pattern[p] === "_" || pattern[p] === text[t]) [t, p] = [t + 1, p + 1];
    else if (any >= 0) [p, t] = [any + 1, ++from];
    else return false;
  }
  while (pattern[p] === "%") p++;
  return p === pattern.length;
}

type Test = (values: Values) => boolean | undefined;

/** True, false, or undefined where a value is missing: SQL's logic of three values. */
function testOf(filter: Filter): Test {
  switch (filter.kind) {
    case "and":
    case "or": {
      const tests = filter.parts.map(testOf);
      const decides = filter.kind === "or"; // one such part decides the whole
      return (values) => {
        const found = tests.map((test) => test(values));
        if (found.includes(decides)) return decides;
        return found.includes(undefined) ? undefined : !decides;
      };
    }
    case "not": {
      const test = testOf(filter.part);
      return (values) => {
        const found = test(values);
        return found === undefined ? undefined : !found;
      };
    }
    case "missing":
      return (values) => values[filter.column] === undefined;
    case "like": {
      const characters = [...filter.pattern];
      return onValue(filter.column, (value) => isLike([...String(value)], characters));
    }
    case "in": {
      const values = new Set(filter.values);
      return onValue(filter.column, (value) => values.has(value));
    }
    case "compare":
      return onValue(filter.column, (value) => compares(filter.operator, value, filter.value));
  }
}

function onValue(column: Column, test: (value: Literal) => boolean): Test {
  return (values) => {
    const value = values[column];
    return value === undefined ? undefined : test(value);
  };
}

/** Which of some rows a condition holds for: 1 or 0 each. */
export function matching(filter: Filter, rows: readonly Values[]): Uint8Array {
  const test = testOf(filter);
  return Uint8Array.from(rows, (row) => (test(row) === true ? 1 : 0));
}
