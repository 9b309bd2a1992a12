import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { renderCatalogue } from "../scripts/renderCatalogue.mjs";
import { catalogue } from "../src/cli/run/list.ts";

test("docs/catalogue.md is what the catalogues say (node scripts/catalogue.mjs writes it)", () => {
  const page = readFileSync(new URL("../docs/catalogue.md", import.meta.url), "utf8");
  expect(page).toBe(renderCatalogue(catalogue()));
});
