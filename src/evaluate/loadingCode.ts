import type { OnnxLayout } from "../encoders/index.ts";
import type { EncoderDescription } from "../inference/index.ts";

/** What the text says of the model. */
export type Written = {
  readonly batch: number | "any";
  readonly dimension: number;
  readonly imageSize: number;
  readonly relative: number;
  readonly features: string;
  readonly input: string;
  readonly output: string;
  readonly layout: OnnxLayout;
};

/** How the cut-out is made in Python: a share of the centred square, or of the whole image. */
function cropCode({ crop }: EncoderDescription): string {
  const { of = "square", share = 1 } = crop ?? {};
  const times = share === 1 ? "" : ` * ${share}`;
  return of === "square"
    ? `    width = height = round(min(image.size)${times})`
    : `    width, height = round(image.width${times}), round(image.height${times})`;
}

const cutOut = ({ crop }: EncoderDescription): string => {
  const { of = "square", share = 1 } = crop ?? {};
  const what = of === "square" ? "the centred square" : "the whole";
  return share === 1 ? what : `${(100 * share).toFixed(1)} % of the side of ${what}`;
};

const list = (values: readonly number[]): string => values.map((value) => String(value)).join(", ");

function torchvision({ encoder }: EncoderDescription): string {
  const { name, width, stem } = encoder as { name: string; width?: number; stem?: string };
  const plain = ["resnet18", "resnet34", "resnet50"].includes(name) && (width ?? 64) === 64;
  if (!plain || stem !== "standard") return "";
  return `
With torchvision:

\`\`\`python
import torch, torchvision
from safetensors.torch import load_file

model = torchvision.models.${name}()
model.fc = torch.nn.Identity()
model.load_state_dict(load_file("weights.safetensors"))
model.eval()
\`\`\`
`;
}

/** What becomes of an image before it is the input. */
export function preparation(description: EncoderDescription): string {
  const { imageSize, mean, std, interpolation = "bilinear" } = description;
  return `${cutOut(description)} of an image, resized to
  ${imageSize} px (${interpolation}), red, green and blue in [0, 1], minus mean [${list(mean)}], divided by [${list(std)}]`;
}

/** Who trained it, and under which licence others did. */
export function origin({ start, training }: EncoderDescription, version: string): string {
  const own =
    training === undefined
      ? `written by Contrapose ${version}`
      : `trained with Contrapose ${version}`;
  if (start === undefined) return own;
  const licence = start.licence === undefined ? "" : ` (licence: ${start.licence})`;
  return `${own}, from the weights of ${start.from}${licence}`;
}

const ownNames = ({ graph }: EncoderDescription): string =>
  graph === undefined ? "torchvision's names" : "the names of the ONNX model that it began as";

/** The weights under the names that they came with, and the code that loads them in the maker's library. */
function makersNames({ start }: EncoderDescription): string {
  if (start?.origin === undefined || Object.keys(start.origin.arrays).length === 0) return "";
  const { architecture, model_type: model } = start.origin.config;
  const code =
    typeof architecture === "string"
      ? `import timm
from safetensors.torch import load_file

model = timm.create_model("${architecture}", num_classes=0)
model.load_state_dict(load_file("model.safetensors"), strict=False)`
      : typeof model === "string"
        ? `from transformers import AutoConfig, AutoModel
from safetensors.torch import load_file

model = AutoModel.from_config(AutoConfig.from_pretrained("${start.from}"))
model.load_state_dict(load_file("model.safetensors"), strict=False)`
        : "";
  const block = code === "" ? "" : `\n\`\`\`python\n${code}\n\`\`\`\n`;
  return `\`model.safetensors\` holds them under the names that they came with, less a classifier.\n${block}\n`;
}

/** README of an exported encoder: what it takes, what it gives, and the code that loads it. */
export function loadingCode(description: EncoderDescription, written: Written): string {
  const { mean, std, imageSize, encoder, version, interpolation = "bilinear" } = description;
  const { batch, dimension, relative, features, input, output, layout } = written;
  const size = batch === "any" ? "N" : String(batch);
  const count = batch === "any" ? "1" : String(batch);
  const planes = layout === "planes";
  const shape = planes ? `3, ${imageSize}, ${imageSize}` : `${imageSize}, ${imageSize}, 3`;
  return `# Encoder

\`${JSON.stringify(encoder)}\`, ${origin(description, version)}.

- Input \`${input}\`: float32 [${size}, ${shape}]; ${preparation(description)}.
- Output \`${output}\`: float32 [${size}, ${dimension}], ${features === "head" ? "the unit embedding behind the head" : "the features before the head"}. Compare them by cosine similarity.
- Loaded back and compared with the encoder on random images: the largest difference is ${relative.toExponential(1)} of the
  largest feature.

With onnxruntime in Python:

\`\`\`python
import numpy as np, onnxruntime
from PIL import Image

def prepare(path):
    image = Image.open(path).convert("RGB")
${cropCode(description)}
    left, top = (image.width - width) // 2, (image.height - height) // 2
    image = image.crop((left, top, left + width, top + height)).resize((${imageSize}, ${imageSize}), Image.${interpolation.toUpperCase()})
    x = np.asarray(image, np.float32) / 255
    return ((x - [${list(mean)}]) / [${list(std)}])${planes ? ".transpose(2, 0, 1)" : ""}.astype(np.float32)

session = onnxruntime.InferenceSession("encoder.onnx")
features = session.run(["${output}"], {"${input}": np.stack([prepare("photo.jpg")${batch === "any" || batch === 1 ? "" : `] * ${count} + [`}])})[0]
\`\`\`

With onnxruntime-node, \`pixels\` prepared in the same way:

\`\`\`js
import * as ort from "onnxruntime-node";

const session = await ort.InferenceSession.create("encoder.onnx");
const images = new ort.Tensor("float32", pixels, [${count}, ${shape}]);
const { "${output}": features } = await session.run({ "${input}": images });
\`\`\`
${torchvision(description)}
${makersNames(description)}\`weights.safetensors\` holds the weights under ${ownNames(description)}; its metadata says the architecture, image size,
mean and standard deviation, as do the model's own metadata and \`encoder.json\`. \`contrapose evaluate\`, \`embed\` and \`train --init\` take it as it is.
`;
}
