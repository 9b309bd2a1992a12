import type { z } from "zod";

import { ConfigError } from "./errors.ts";
import { harmless, quoted } from "./quote.ts";
import { suggest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null
        ? Object.getOwnPropertyDescriptor(at, key)?.value
        : undefined,
    value,
  );
}

function knownKeys(schema: unknown, path: readonly PropertyKey[]): string[] {
  let at = schema as { shape?: Record<string, unknown>; unwrap?: () => unknown } | undefined;
  const peel = () => {
    while (at && !at.shape && typeof at.unwrap === "function") at = at.unwrap() as typeof at;
  };
  peel();
  for (const key of path) {
    at = at?.shape?.[String(key)] as typeof at;
    peel();
  }
  return Object.keys(at?.shape ?? {});
}

function describe(issue: Issue, schema: unknown, value: unknown): string[] {
  const at = harmless(issue.path.map(String).join(".")).slice(0, 200);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const near = suggest(key, known);
      const name = harmless(at === "" ? key : `${at}.${key}`).slice(0, 100);
      return `${name} is not an option${near === undefined ? "" : `, did you mean ${near}?`}`;
    });
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const nested = issue.errors.reduce((a, b) => (a.length <= b.length ? a : b));
    return nested.flatMap((inner) =>
      describe({ ...inner, path: [...issue.path, ...inner.path] }, schema, value),
    );
  }
  const given = valueAt(value, issue.path);
  const shown =
    given === undefined ? "" : ` (is ${typeof given === "number" ? given : quoted(given, 100)})`;
  return [`${at === "" ? "options" : at}: ${issue.message}${shown}`];
}

/** What a parser found, without its word on the largest whole numbers where a setting's own bound says more. */
export function issuesOf({ issues }: z.core.$ZodError): Issue[] {
  const isUnsafe = (issue: Issue) => "note" in issue && issue.note !== undefined;
  const place = ({ path }: Issue) => path.join(".");
  const bounded = new Set(issues.filter((issue) => !isUnsafe(issue)).map(place));
  return issues.filter((issue) => !isUnsafe(issue) || !bounded.has(place(issue)));
}

/** What is wrong with a value, one sentence a mistake, all of them; empty where nothing is. */
export function mistakes(schema: z.ZodType, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success
    ? []
    : issuesOf(result.error).flatMap((issue) => describe(issue, schema, value));
}

const MOST = 8; // mistakes that one message tells

/** Parses options at the one place they enter. Beyond it every option is present and in range. */
export function parseOptions<S extends z.ZodType>(
  caller: string,
  schema: S,
  value: unknown,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found = mistakes(schema, value);
  const more = found.length > MOST ? [`and ${found.length - MOST} more`] : [];
  throw new ConfigError(`${caller}: ${[...found.slice(0, MOST), ...more].join("; ")}`);
}
