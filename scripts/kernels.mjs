// Compiles kernels/views.ts (AssemblyScript) to src/views/draw/kernelCode.ts:
//   node scripts/kernels.mjs
// The compiler is not a dependency of the project, for it is large and the result is two thousand bytes: npx fetches it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const source = join(root, "kernels", "views.ts");
const place = mkdtempSync(join(tmpdir(), "contrapose-kernels-"));
try {
  const out = join(place, "views.wasm");
  const flags = ["-O3", "--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory"];
  execFileSync(
    "npx",
    [
      ...["--yes", "--package", "assemblyscript@0.28.20", "asc", source],
      ...[...flags, "--importMemory", "--noAssert", "--outFile", out],
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  const code = readFileSync(out).toString("base64");
  const mark = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  const lines = code.match(/.{1,96}/g).map((line) => `  "${line}",`);
  writeFileSync(
    join(root, "src", "views", "draw", "kernelCode.ts"),
    `// Made of kernels/views.ts by \`node scripts/kernels.mjs\`: not to be changed by hand.

/** Hash of the source that \`kernelCode\` was compiled of. */
export const kernelSource = "${mark}";

/** A WebAssembly module in base64. */
export const kernelCode = [
${lines.join("\n")}
].join("");
`,
  );
} finally {
  rmSync(place, { recursive: true, force: true });
}
