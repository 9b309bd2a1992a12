// Writes docs/catalogue.md from the built catalogues: npm run build && node scripts/catalogue.mjs
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { catalogue } from "../dist/cli/run/list.js";
import { renderCatalogue } from "./renderCatalogue.mjs";

writeFileSync(
  join(import.meta.dirname, "..", "docs", "catalogue.md"),
  renderCatalogue(catalogue()),
);
