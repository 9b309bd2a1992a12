// Markdown of everything that configs can name, from the catalogues themselves.
const kinds = {
  methods: "Methods: presets under `--method`, a paper's choice of the parts below",
  frameworks: "Frameworks: where candidates come from (`--framework`)",
  samplers: "Samplers: what changes positives and negatives, in a chain (`--samplers`)",
  mixers: "Mixers: candidates to more candidates (`--mixer`)",
  losses: "Losses: similarity and pairs to one number per anchor (`--loss`)",
  encoders: "Encoders",
  heads: "Heads",
  adapters: "Adapters: what is trained behind a frozen encoder (`--adapter`, with `--from`)",
  optimisers: "Optimisers",
};

const cell = (value) => String(value).replace(/\|/g, "\\|").replace(/\n/g, " ");
const code = (value) => (value === undefined || value === "" ? "" : `\`${JSON.stringify(value)}\``);

function entry({ name, summary, source, options }) {
  const rows = Object.entries(options).map(
    ([option, { default: value, describe }]) =>
      `| \`${option}\` | ${cell(code(value))} | ${cell(describe)} |`,
  );
  const table =
    rows.length === 0 ? [] : ["", "| option | default | |", "| --- | --- | --- |", ...rows];
  return [`### ${name}`, "", `${summary} *${source}*`, ...table].join("\n");
}

const setting = ({ name, source, summary }) =>
  `| \`${name}\` | ${code(source).replaceAll('"', "")} | ${cell(summary)} |`;

const settings = (entries) =>
  [
    "## Settings of a run: in a config file, by a flag, or by `--set path=value`",
    ["| setting | flag | |", "| --- | --- | --- |", ...entries.map(setting)].join("\n"),
  ].join("\n\n");

/** The page docs/catalogue.md. */
export function renderCatalogue(catalogue) {
  const parts = Object.entries(kinds).map(([kind, title]) =>
    [`## ${title}`, ...catalogue[kind].map(entry)].join("\n\n"),
  );
  const head =
    "# Catalogue\n\nMade from the code by `node scripts/catalogue.mjs`; `contrapose list <kind>` prints the same.";
  return `${[head, ...parts, settings(catalogue.settings)].join("\n\n")}\n`;
}
