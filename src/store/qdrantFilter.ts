import { ConfigError } from "../core/errors.ts";
import type { Filter, Literal, Operator } from "./filter.ts";

/** A condition as Qdrant's API takes it. */
export type QdrantFilter = Record<string, unknown>;

const ranges: Partial<Record<Operator, string>> = {
  "<": "lt",
  "<=": "lte",
  ">": "gt",
  ">=": "gte",
};
const opposite: Record<Operator, Operator> = {
  "=": "!=",
  "!=": "=",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};

const missing = (key: string) => ({ is_empty: { key } });
/** Numbers of a table are whole: of others the server knows no match. */
const isWhole = (value: Literal) => typeof value === "string" || Number.isSafeInteger(value);
const isOneOf = (key: string, values: readonly Literal[]) => ({
  key,
  match: { any: values.filter(isWhole) },
});
const is = (key: string, value: Literal) =>
  isWhole(value) ? { key, match: { value } } : isOneOf(key, []);
/** What is missing does not fulfil a condition, nor its negation. */
const present = (key: string, condition: QdrantFilter) => ({
  must_not: [condition, missing(key)],
});

/** The negation of a condition with `not` moved inwards, as the logic of three values allows. */
function negate(filter: Filter): QdrantFilter {
  switch (filter.kind) {
    case "and":
      return { should: filter.parts.map(negate) };
    case "or":
      return { must: filter.parts.map(negate) };
    case "not":
      return qdrantFilter(filter.part);
    case "missing":
      return { must_not: [missing(filter.column)] };
    case "in":
      return present(filter.column, isOneOf(filter.column, filter.values));
    case "compare":
      return qdrantFilter({ ...filter, operator: opposite[filter.operator] });
    case "like":
      return qdrantFilter(filter);
  }
}

/** A condition for Qdrant. Throws `ConfigError` for what it has no condition for: `like`, and texts by size. */
export function qdrantFilter(filter: Filter): QdrantFilter {
  switch (filter.kind) {
    case "and":
      return { must: filter.parts.map(qdrantFilter) };
    case "or":
      return { should: filter.parts.map(qdrantFilter) };
    case "not":
      return negate(filter.part);
    case "missing":
      return { must: [missing(filter.column)] };
    case "in":
      return { must: [isOneOf(filter.column, filter.values)] };
    case "like":
      throw new ConfigError(
        "--where: Qdrant knows no like",
        "use =, in, or the store exact or duckdb",
      );
    case "compare": {
      const { column: key, operator, value } = filter;
      if (operator === "=") return { must: [is(key, value)] };
      if (operator === "!=") return present(key, is(key, value));
      if (typeof value === "number")
        return { must: [{ key, range: { [ranges[operator]!]: value } }] };
      throw new ConfigError(
        `--where: Qdrant does not compare texts by ${operator}`,
        "use =, in, or the store exact or duckdb",
      );
    }
  }
}
