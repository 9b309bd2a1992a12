// The floors of src/, lowest first. A folder imports from lower floors only: never upwards, never
// from a neighbour. What two neighbours share moves down a floor; what combines them moves up one.
const floors = [
  ["core"],
  ["engine", "files", "ranks"],
  ["losses", "sampling", "encoders", "optim", "views", "data", "metrics", "memory", "hub"],
  ["frameworks", "inference", "store", "testing"],
  ["config"],
  ["train", "evaluate", "conformance"],
  ["compare"],
  ["report", "server"],
  ["cli"],
];
const browserSafe = [
  "core",
  "losses",
  "sampling",
  "encoders",
  "optim",
  "metrics",
  "memory",
  "frameworks",
];
const noJax = ["views", "data", "metrics", "files", "store", "ranks"];

const inside = (names) => `^src/(${names.join("|")})/`;
const tests = "\\.test\\.ts$";

const floorRules = floors.flatMap((names, floor) =>
  names.map((name) => ({
    name: `${name}-looks-up-or-sideways`,
    severity: "error",
    from: { path: inside([name]), pathNot: tests },
    to: {
      path: inside([
        ...names.filter((other) => other !== name),
        ...floors.slice(floor + 1).flat(),
        "nothing-above",
      ]),
    },
  })),
);
const only = (name, folder, library) => ({
  name,
  severity: "error",
  from: { path: "^src/", pathNot: [`^src/${folder}/`, tests] },
  to: { path: `node_modules/${library}/` },
});

module.exports = {
  forbidden: [
    ...floorRules,
    only("onnxruntime-outside-engine", "engine", "(onnxruntime-node|onnxruntime-common|onnx-buf)"),
    only("sharp-outside-data", "data", "sharp"),
    only("duckdb-outside-store", "store", "@duckdb"),
    only("koffi-outside-ranks", "ranks", "koffi"),
    { name: "cycle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "imports-a-test",
      severity: "error",
      from: {},
      to: { path: tests },
    },
    {
      name: "own-index", // index.ts is for the floors above; inside a folder, files import files
      severity: "error",
      from: { path: "^src/([^/]+)/", pathNot: tests },
      to: { path: "^src/$1/index\\.ts$" },
    },
    {
      name: "platform-in-a-browser-floor",
      severity: "error",
      from: { path: inside(browserSafe), pathNot: tests },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "jax-where-workers-run",
      severity: "error",
      from: { path: inside(noJax), pathNot: tests },
      to: { path: "node_modules/@jax-js/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true, // type-only imports count: a type is a dependency too
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
