import type { EncoderDescription } from "../inference/index.ts";
import { origin, preparation } from "./loadingCode.ts";

type Model = {
  readonly dimension: number;
  readonly input: string;
  readonly output: string;
};

/** The library that reads the weights under the names they have. */
function libraryOf({ start }: EncoderDescription): string | undefined {
  const { config, arrays = {} } = start?.origin ?? {};
  if (config === undefined || Object.keys(arrays).length === 0) return undefined;
  if (typeof config.architecture === "string") return "timm";
  return typeof config.model_type === "string" ? "transformers" : undefined;
}

const code: Record<string, string> = {
  timm: `import timm

model = timm.create_model("local-dir:.", pretrained=True)  # or hf-hub:org/name
features = model(images)`,
  transformers: `from transformers import AutoImageProcessor, AutoModel

processor, model = AutoImageProcessor.from_pretrained("."), AutoModel.from_pretrained(".")
outputs = model(**processor(image, return_tensors="pt"))`,
};

/** How the encoder was trained, line by line. */
function trainingLines({ training }: EncoderDescription): string {
  if (training === undefined) return "Not trained further: the weights are those of the start.";
  const { method, data, seed, head } = training;
  return `- Method: ${method}, head \`${JSON.stringify(head)}\`, seed ${seed}.
- Images: ${data.split(/[\\/]/).at(-1)}, without labels unless the method needs them.
- Views: \`${JSON.stringify(training.views)}\`.`;
}

/** A model card: what the encoder is and takes, where it comes from, how it is loaded. */
export function modelCard(description: EncoderDescription, model: Model): string {
  const { start, version } = description;
  const library = libraryOf(description);
  const head = [
    ...(start?.licence === undefined ? [] : [`license: ${JSON.stringify(start.licence)}`]),
    ...(library === undefined ? [] : [`library_name: ${library}`]),
    "pipeline_tag: image-feature-extraction",
    "tags: [contrapose, onnx]",
  ];
  const block =
    library === undefined ? "" : `\nIn Python:\n\n\`\`\`python\n${code[library]}\n\`\`\`\n`;
  return `---
${head.join("\n")}
---

# Image encoder

\`${description.encoder.name}\`, ${origin(description, version)}: an image to ${model.dimension} numbers. Compare them by cosine similarity.

The input is ${preparation(description)}.

${trainingLines(description)}
${block}
\`onnx/model.onnx\` runs wherever ONNX does: \`${model.input}\` in, \`${model.output}\` out. \`contrapose embed ./photos --from .\` makes a table of vectors for
search, dedupe and cluster; \`contrapose evaluate --from . --train A --test B\` measures it.
`;
}
