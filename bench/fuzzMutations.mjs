// Seeded mutations of valid inputs: of bytes, and of JSON by its structure.

/** Uniform integers below `n`, from a seed and a place in a sequence: the same on every machine. */
export function randomOf(seed, target, index) {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  for (const letter of `${target} ${index}`) {
    state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  }
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
}

const tokens = [
  ...[
    "null",
    "true",
    "[",
    "]",
    "{",
    "}",
    '"',
    ",",
    ":",
    "-1",
    "0",
    "1e999",
    "NaN",
    "\n",
    "\\u0000",
    "\\",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "length",
    "name",
    "../",
    "'",
    "%",
    "(",
    ")",
    " or ",
    "*",
    "&a",
    "!!",
  ],
  ...[
    "\u202e",
    "\u001b[2J",
    "\ufeff",
    "é",
    "PAR1",
    "ustar",
    "\x89PNG",
    "\xff\xd8\xff",
    "RIFF",
    "II*\0",
    "GIF89a",
  ],
].map((text) => Buffer.from(text, "latin1"));
const edges = [
  0,
  1,
  2,
  7,
  8,
  127,
  128,
  255,
  256,
  32767,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

const splice = (bytes, at, cut, put) =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);

const byteMutations = [
  function flipBit(bytes, random) {
    bytes[random(bytes.length)] ^= 1 << random(8);
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random(bytes.length)] = [0, 1, 127, 128, 255, random(256)][random(6)];
    return bytes;
  },
  function lengthField(bytes, random) {
    const width = [1, 2, 4, 8][random(4)];
    const at = random(Math.max(1, bytes.length - width + 1));
    const number = Buffer.alloc(8);
    number.writeBigUInt64LE(
      BigInt(edges[random(edges.length)]) << BigInt(random(4) === 0 ? 31 : 0),
    );
    const field = number.subarray(0, width);
    if (random(2) === 0) field.reverse();
    bytes.set(field.subarray(0, bytes.length - at), at);
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)), // cut short
  (bytes, random) => splice(bytes, random(bytes.length), 1 + random(64), Buffer.alloc(0)),
  function repeat(bytes, random) {
    const at = random(bytes.length);
    const piece = bytes.subarray(at, at + 1 + random(64));
    const times = [1, 2, 16, 256][random(4)];
    return splice(bytes, at, 0, Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  (bytes, random) => splice(bytes, random(bytes.length), random(2), tokens[random(tokens.length)]),
  function token(bytes, random) {
    const times = [2, 40, 3000][random(3)];
    const many = Buffer.concat(Array.from({ length: times }, () => tokens[random(tokens.length)]));
    return splice(bytes, random(bytes.length), random(4), many);
  },
  function deep(bytes, random) {
    const piece = tokens[random(tokens.length)];
    const many = Buffer.concat(Array.from({ length: [70, 1000, 20000][random(3)] }, () => piece));
    return splice(bytes, random(bytes.length), 0, many);
  },
  function crossOver(bytes, random, other) {
    const at = random(other.length);
    return splice(
      bytes,
      random(bytes.length),
      random(64),
      other.subarray(at, at + 1 + random(256)),
    );
  },
  (bytes, random) =>
    Buffer.from(bytes).fill(random(256), random(bytes.length), random(bytes.length)),
];

/** One to eight mutations of bytes; `other` is another valid input, from which pieces are taken. */
export function mutateBytes(seed, random, other = seed) {
  let bytes = Buffer.from(seed);
  const rounds = 1 + random([1, 2, 4, 8][random(4)]);
  for (let i = 0; i < rounds; i++) {
    if (bytes.length === 0) bytes = Buffer.from([0]);
    bytes = Buffer.from(byteMutations[random(byteMutations.length)](bytes, random, other));
  }
  return bytes.subarray(0, 1 << 20);
}

const names = ["__proto__", "constructor", "toString", "length", "name", "", "x"];
const nested = (levels) => (levels === 0 ? [] : [nested(levels - 1)]);
const values = [
  ...[null, true, false, 0, -1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 1e20, 65536],
  ...[
    "",
    "constructor",
    "__proto__",
    "toString",
    "-1",
    "1e999",
    "../../x",
    "\u202e\n\u001b[2J",
    "x".repeat(300),
  ],
  ...[[], {}, [null], [[]], { name: "constructor" }, { toString: 1 }, { length: -1 }, [1, 2, 3, 4]],
];

/** Every place of a tree: what holds it, and under which key. */
function placesOf(tree) {
  const places = [];
  const walk = (holder) => {
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      if (typeof holder[key] === "object" && holder[key] !== null) walk(holder[key]);
    }
  };
  walk(tree);
  return places;
}

function put(holder, key, value) {
  if (typeof value === "object" && value !== null) value = structuredClone(value); // no part is shared
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

const valueMutations = [
  (random, [holder, key]) => put(holder, key, values[random(values.length)]),
  (random, [holder, key]) =>
    put(holder, key, edges[random(edges.length)] * [1, -1, 0.5][random(3)]),
  (random, [holder, key]) =>
    Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key],
  (random, [holder, key], places) => {
    const [other, place] = places[random(places.length)];
    put(holder, key, structuredClone(other[place]));
  },
  (random, [holder, key]) =>
    put(holder, Array.isArray(holder) ? key : names[random(names.length)], holder[key]),
  (random, [holder, key]) => put(holder, key, nested([3, 70, 500][random(3)])),
  (random, [holder, key]) =>
    put(
      holder,
      key,
      Array.from({ length: 200 }, () => holder[key]),
    ),
  (random, [holder, key]) => put(holder, key, [holder[key]]),
  (random, [holder, key]) => put(holder, key, String(JSON.stringify(holder[key]))),
  (random, [holder, key]) =>
    put(holder, key, typeof holder[key] === "string" ? Number(holder[key]) || 3 : `${key}x`),
];

const MOST_PLACES = 5000;

/** A JSON value with one to four of its places changed. */
export function mutateValue(value, random) {
  const root = { root: structuredClone(value) };
  const rounds = 1 + random(4);
  for (let i = 0; i < rounds; i++) {
    const places = placesOf(root);
    if (places.length === 0 || places.length > MOST_PLACES) break; // repetition of repetition has no end
    const [holder, key] = places[random(places.length)];
    valueMutations[random(valueMutations.length)](random, [holder, key], places);
  }
  return root.root;
}

/** JSON text of a mutated value; now and then its bytes are mutated instead. */
export function mutateJson(text, random, other = text) {
  if (random(4) === 0) return mutateBytes(text, random, other);
  return Buffer.from(JSON.stringify(mutateValue(JSON.parse(text), random)) ?? "null");
}

/** The same for a file of one JSON value a line. */
export function mutateLines(text, random, other = text) {
  if (random(4) === 0) return mutateBytes(text, random, other);
  const lines = text.toString().trimEnd().split("\n");
  const at = random(lines.length);
  lines[at] = mutateJson(Buffer.from(lines[at]), random, Buffer.from(lines[random(lines.length)]));
  return Buffer.from(`${lines.join("\n")}\n`);
}
