import { ConfigError } from "../core/errors.ts";
import type { Filter, Operator } from "./filter.ts";

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
      return present(filter.column, { key: filter.column, match: { any: filter.values } });
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
      return { must: [{ key: filter.column, match: { any: filter.values } }] };
    case "like":
      throw new ConfigError(
        "--where: Qdrant knows no like",
        "use =, in, or the store exact or duckdb",
      );
    case "compare": {
      const { column: key, operator, value } = filter;
      if (operator === "=") return { must: [{ key, match: { value } }] };
      if (operator === "!=") return present(key, { key, match: { value } });
      if (typeof value === "number")
        return { must: [{ key, range: { [ranges[operator]!]: value } }] };
      throw new ConfigError(
        `--where: Qdrant does not compare texts by ${operator}`,
        "use =, in, or the store exact or duckdb",
      );
    }
  }
}
