import type { EncoderDescription } from "../inference/index.ts";

/** What the text says of the model. */
export type Written = {
  readonly batch: number | "any";
  readonly dimension: number;
  readonly imageSize: number;
  readonly relative: number;
  readonly features: string;
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

/** Who trained it, and under which licence others did. */
function origin({ start, training }: EncoderDescription, version: string): string {
  const own =
    training === undefined
      ? `written by Contrapose ${version}`
      : `trained with Contrapose ${version}`;
  if (start === undefined) return own;
  const licence = start.licence === undefined ? "" : ` (licence: ${start.licence})`;
  return `${own}, from the weights of ${start.from}${licence}`;
}

/** README of an exported encoder: what it takes, what it gives, and the code that loads it. */
export function loadingCode(description: EncoderDescription, written: Written): string {
  const { mean, std, imageSize, encoder, version, interpolation = "bilinear" } = description;
  const { batch, dimension, relative, features } = written;
  const size = batch === "any" ? "N" : String(batch);
  const count = batch === "any" ? "1" : String(batch);
  return `# Encoder

\`${JSON.stringify(encoder)}\`, ${origin(description, version)}.

- Input \`images\`: float32 [${size}, 3, ${imageSize}, ${imageSize}]; ${cutOut(description)} of an image, resized to
  ${imageSize} px (${interpolation}), red, green and blue in [0, 1], minus mean [${list(mean)}], divided by [${list(std)}].
- Output \`features\`: float32 [${size}, ${dimension}], ${features === "head" ? "the unit embedding behind the head" : "the features before the head"}. Compare them by cosine similarity.
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
    return ((x - [${list(mean)}]) / [${list(std)}]).transpose(2, 0, 1).astype(np.float32)

session = onnxruntime.InferenceSession("encoder.onnx")
features = session.run(["features"], {"images": np.stack([prepare("photo.jpg")${batch === "any" || batch === 1 ? "" : `] * ${count} + [`}])})[0]
\`\`\`

With onnxruntime-node, \`pixels\` prepared in the same way:

\`\`\`js
import * as ort from "onnxruntime-node";

const session = await ort.InferenceSession.create("encoder.onnx");
const images = new ort.Tensor("float32", pixels, [${count}, 3, ${imageSize}, ${imageSize}]);
const { features } = await session.run({ images });
\`\`\`
${torchvision(description)}
\`weights.safetensors\` holds the weights under torchvision's names; its metadata says the architecture, image size,
mean and standard deviation, as do the model's own metadata and \`encoder.json\`. \`contrapose evaluate\`, \`embed\` and \`train --init\` take it as it is.
`;
}
