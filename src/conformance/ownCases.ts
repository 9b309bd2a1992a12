import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { DataError } from "../core/errors.ts";
import { type ConformanceCase, readCases } from "./caseFile.ts";

/** Where the package has its cases, and where a checkout has them. */
const places = ["./own.json", "../../test/cases/own.json"];

/** Path of the cases that come with the package. */
export function ownCasesPath(): string {
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new DataError(
    `${JSON.stringify(paths[0])} is missing, expected the cases of the package there`,
    "install the package again",
  );
}

/** The cases that come with the package: every method, computed by loops over plain numbers. */
export const ownCases = (): Promise<ConformanceCase[]> => readCases(ownCasesPath());
