/** Where the page looks at the map: the middle, in units of the map, and pixels a unit. */
export type Look = { x: number; y: number; scale: number };

/** Draws points. */
export type Painter = {
  readonly kind: "WebGL" | "2D";
  /** Places [count, 2] and colours [count, 4], bytes. */
  set(places: Float32Array, colours: Uint8Array): void;
  draw(look: Look, width: number, height: number, size: number): void;
  dispose(): void;
};

const vertex = `#version 300 es
in vec2 place;
in vec4 colour;
uniform vec2 middle;
uniform vec2 unit;
uniform float size;
out vec4 shade;
void main() {
  gl_Position = vec4((place - middle) * unit, 0.0, 1.0);
  gl_PointSize = size;
  shade = colour;
}`;
const fragment = `#version 300 es
precision mediump float;
in vec4 shade;
out vec4 pixel;
void main() {
  vec2 from = gl_PointCoord - 0.5;
  if (dot(from, from) > 0.25) discard;
  pixel = vec4(shade.rgb * shade.a, shade.a);
}`;

function programOf(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, text] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

function withGl(gl: WebGL2RenderingContext): Painter {
  const program = programOf(gl);
  const [places, colours] = [gl.createBuffer(), gl.createBuffer()];
  const at = (name: string) => gl.getUniformLocation(program, name);
  const [middle, unit, size] = ["middle", "unit", "size"].map(at);
  let count = 0;
  const attribute = (name: string, buffer: WebGLBuffer, values: number, type: number) => {
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, values, type, type === gl.UNSIGNED_BYTE, 0, 0);
  };
  return {
    kind: "WebGL",
    set(xy, rgba) {
      count = xy.length / 2;
      gl.useProgram(program);
      attribute("place", places, 2, gl.FLOAT);
      gl.bufferData(gl.ARRAY_BUFFER, xy, gl.STATIC_DRAW);
      attribute("colour", colours, 4, gl.UNSIGNED_BYTE);
      gl.bufferData(gl.ARRAY_BUFFER, rgba, gl.STATIC_DRAW);
    },
    draw({ x, y, scale }, width, height, pixels) {
      gl.viewport(0, 0, width, height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      gl.uniform2f(middle, x, y);
      gl.uniform2f(unit, (2 * scale) / width, (2 * scale) / height);
      gl.uniform1f(size, pixels);
      gl.drawArrays(gl.POINTS, 0, count);
    },
    dispose: () => gl.getExtension("WEBGL_lose_context")?.loseContext(),
  };
}

/** For browsers without WebGL: the same as squares, slower. */
function without(context: CanvasRenderingContext2D): Painter {
  let [places, colours] = [new Float32Array(), new Uint8Array()];
  return {
    kind: "2D",
    set: (xy, rgba) => ([places, colours] = [xy, rgba]),
    draw({ x, y, scale }, width, height, size) {
      context.clearRect(0, 0, width, height);
      for (let i = 0; i < places.length / 2; i++) {
        const [left, top] = [
          width / 2 + (places[2 * i] - x) * scale,
          height / 2 - (places[2 * i + 1] - y) * scale,
        ];
        if (left < 0 || top < 0 || left > width || top > height) continue;
        const [r, g, b, a] = colours.subarray(4 * i, 4 * i + 4);
        context.fillStyle = `rgba(${r},${g},${b},${a / 255})`;
        context.fillRect(left - size / 2, top - size / 2, size, size);
      }
    },
    dispose: () => undefined,
  };
}

/** A painter on a canvas: by WebGL, in software too, or without it. */
export function painterOn(canvas: HTMLCanvasElement): Painter {
  const gl = canvas.getContext("webgl2", {
    alpha: true,
    antialias: false,
    powerPreference: "low-power",
  });
  return gl === null ? without(canvas.getContext("2d")!) : withGl(gl);
}

/** Rows by cells of a grid over the map, so that those near a place are found at once. */
export function gridOf(places: Float32Array) {
  const count = places.length / 2;
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    left = Math.min(left, places[2 * i]);
    right = Math.max(right, places[2 * i]);
    low = Math.min(low, places[2 * i + 1]);
    high = Math.max(high, places[2 * i + 1]);
  }
  const side = Math.max(1, Math.ceil(Math.sqrt(count / 4)));
  const [width, height] = [(right - left || 1) / side, (high - low || 1) / side];
  const clamp = (v: number) => Math.max(0, Math.min(side - 1, Math.floor(v)));
  const cellOf = (i: number) =>
    clamp((places[2 * i + 1] - low) / height) * side + clamp((places[2 * i] - left) / width);
  const starts = new Uint32Array(side * side + 1);
  for (let i = 0; i < count; i++) starts[cellOf(i) + 1]++;
  for (let c = 0; c < side * side; c++) starts[c + 1] += starts[c];
  const rows = new Uint32Array(count);
  const next = starts.slice();
  for (let i = 0; i < count; i++) rows[next[cellOf(i)]++] = i;
  /** Rows within a rectangle of the map, at most `most`; undefined where there are more. */
  const within = (
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    most: number,
  ): number[] | undefined => {
    const found: number[] = [];
    for (let cy = clamp((y0 - low) / height); cy <= clamp((y1 - low) / height); cy++) {
      for (let cx = clamp((x0 - left) / width); cx <= clamp((x1 - left) / width); cx++) {
        for (let at = starts[cy * side + cx]; at < starts[cy * side + cx + 1]; at++) {
          const [x, y] = [places[2 * rows[at]], places[2 * rows[at] + 1]];
          if (x < x0 || x > x1 || y < y0 || y > y1) continue;
          if (found.length === most) return undefined;
          found.push(rows[at]);
        }
      }
    }
    return found;
  };
  return {
    bounds: { left, right, low, high },
    within,
    /** The row nearest to a place, no farther than `reach`. */
    nearest(x: number, y: number, reach: number): number | undefined {
      let [best, least] = [undefined as number | undefined, reach * reach];
      for (const row of within(x - reach, y - reach, x + reach, y + reach, 20_000) ?? []) {
        const d = (places[2 * row] - x) ** 2 + (places[2 * row + 1] - y) ** 2;
        if (d <= least) [best, least] = [row, d];
      }
      return best;
    },
  };
}

/** Rows inside a closed line of the map. */
export function inside(places: Float32Array, line: readonly [number, number][]): number[] {
  const found: number[] = [];
  for (let i = 0; i < places.length / 2; i++) {
    const [x, y] = [places[2 * i], places[2 * i + 1]];
    let odd = false;
    for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
      const [[ax, ay], [bx, by]] = [line[a], line[b]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    if (odd) found.push(i);
  }
  return found;
}

/** The colour of a number: neighbours are far apart on the circle of hues, and differ in lightness. */
export function colourOf(number: number, dark: boolean): [number, number, number] {
  const hue = (number * 137.508 + 175) % 360;
  const light = (dark ? 0.62 : 0.42) + 0.08 * (number % 3 === 0 ? 1 : number % 3 === 1 ? -1 : 0);
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    const a = 0.6 * Math.min(light, 1 - light);
    return Math.round(255 * (light - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
