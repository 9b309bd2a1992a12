// A dropped picture finds its neighbours: the exported encoder runs in this page with onnxruntime-web, the rest is
// Contrapose's own code, the same that made the vectors.
import * as ort from "/ort/ort.wasm.min.mjs";
import { residentRows } from "/contrapose/metrics/residentRows.js";
import { renderView } from "/contrapose/views/draw/render.js";

const SHOWN = 24;
const element = (id) => document.getElementById(id);
const status = (text) => (element("status").textContent = text);

async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
  return response;
}

/** The vectors of an npy file of float32 [count, dimension], as `contrapose embed` writes it. */
function vectorsOf(buffer) {
  const length = new DataView(buffer).getUint16(8, true);
  const header = new TextDecoder().decode(new Uint8Array(buffer, 10, length));
  const [, count, dimension] = /'shape': \((\d+), (\d+)\)/.exec(header).map(Number);
  return { data: new Float32Array(buffer, 10 + length), count, dimension };
}

/** A picture's pixels, its shorter side as long as that of the packed images the vectors were made of. */
async function pixelsOf(file, { imageSize }) {
  const whole = await createImageBitmap(file);
  const side = Math.max(160, Math.round((imageSize * 8) / 7));
  const scale = Math.min(1, side / Math.min(whole.width, whole.height));
  const [width, height] = [whole.width, whole.height].map((x) => Math.round(scale * x));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(whole, 0, 0, width, height);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) data.set(rgba.subarray(4 * i, 4 * i + 3), 3 * i);
  return { width, height, channels: 3, data };
}

/** The input of the encoder: the centred square, resized and normalised. */
function inputOf(image, { imageSize: size, mean, std, batch }) {
  const side = Math.min(image.width, image.height);
  const x = Math.floor((image.width - side) / 2);
  const y = Math.floor((image.height - side) / 2);
  const plain = {
    crop: { x, y, width: side, height: side },
    flip: false,
    verticalFlip: false,
    rotation: 0,
    jitter: [],
    grey: false,
    blur: null,
    solarise: null,
    cutout: null,
  };
  const count = batch === "any" ? 1 : batch;
  const data = new Float32Array(count * 3 * size * size);
  renderView(image, plain, { size, mean, std }, data.subarray(0, 3 * size * size));
  return new ort.Tensor("float32", data, [count, 3, size, size]);
}

function show(names, { indices, similarities }) {
  const items = Array.from(indices, (row, i) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.src = `/images/${names[row].split("/").map(encodeURIComponent).join("/")}`;
    image.alt = `Number ${i + 1}`;
    image.loading = "lazy";
    const text = document.createElement("span");
    text.textContent = `${similarities[i].toFixed(3)} ${names[row]}`;
    item.dataset.id = names[row];
    item.append(image, text);
    return item;
  });
  element("results").replaceChildren(...items);
}

async function start() {
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.wasm.numThreads = 1;
  const about = await (await fetched("/model/encoder.json")).json();
  const names = (await (await fetched("/names.txt")).text()).trimEnd().split("\n");
  const rows = residentRows(vectorsOf(await (await fetched("/vectors.npy")).arrayBuffer()));
  const session = await ort.InferenceSession.create("/model/encoder.onnx");

  async function search(file) {
    status("Searching …");
    element("query").src = URL.createObjectURL(file);
    element("query").hidden = false;
    const started = performance.now();
    const input = inputOf(await pixelsOf(file, about), about);
    const { [about.output]: features } = await session.run({ [about.input]: input });
    const embedded = performance.now();
    const dimension = features.dims.at(-1); // [batch, dimension], of which the first is the picture
    if (dimension !== rows.dimension) {
      throw new Error(
        `the encoder gives ${dimension} numbers, the vectors have ${rows.dimension}: export the encoder that embedded them, with the same --features`,
      );
    }
    const found = rows.nearest(
      { data: features.data.slice(0, dimension), count: 1, dimension },
      SHOWN,
    );
    const [encoding, searching] = [embedded - started, performance.now() - embedded];
    show(names, found);
    status(
      `${rows.count} images searched in ${searching.toFixed(1)} ms; the picture was encoded in ${encoding.toFixed(0)} ms.`,
    );
  }
  const trySearch = (file) =>
    search(file).catch((error) => status(`That did not work: ${error.message}`));

  const [drop, input] = [element("drop"), element("file")];
  input.disabled = false;
  input.addEventListener("change", () => input.files[0] && trySearch(input.files[0]));
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    // on all of the page: a picture dropped beside the box would open in its place
    window.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name.startsWith("dragenter") || name === "dragover");
      const file = event.dataTransfer?.files[0];
      if (name === "drop" && file !== undefined) trySearch(file);
    });
  }
  status(`${rows.count} images are ready.`);
}

start().catch((error) => status(`The page could not start: ${error.message}`));
