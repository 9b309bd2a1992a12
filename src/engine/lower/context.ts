import { type DType, type HostArray, sizeOf } from "../../core/arrays.ts";
import { type Attributes, type Domain, GraphBuilder, type GraphType } from "../onnx.ts";
import {
  type Feature,
  type Literal,
  sameShape,
  type Value,
  type View,
  wholeView,
} from "./value.ts";

/** What lowering knows of the device, and the choices that were made by timing. */
export type Target = {
  /** Channels in a block of the fast layout, or 0 where the device has no such layout. */
  readonly block: number;
  /** Whether Microsoft's additional operators (FusedMatMul) are there. */
  readonly fused: boolean;
  /** Which of several ways to compute the same thing is fastest here; the first where nobody knows. */
  choose(kind: string, sizes: readonly number[], alternatives: readonly string[]): string;
};

/** How values that wait are computed as plain arrays; given by the files that know these values. */
export type Forms = {
  readonly [K in "poly" | "windows" | "ranked" | "padded"]: (
    ctx: Context,
    value: Extract<Value, { kind: K }>,
  ) => string;
};

/** The element type that a dtype has inside the graph. */
export function graphType(dtype: DType): GraphType {
  return dtype === "uint32" ? "int64" : dtype;
}

/** The state of one lowering: the graph so far and the forms in which values have been computed. */
export class Context {
  readonly graph = new GraphBuilder();
  readonly target: Target;
  private readonly forms: Forms;
  private readonly plains = new Map<Value, string>();
  private readonly products = new Map<string, Feature>();
  private readonly computed = new Map<string, unknown>();
  private readonly ranges = new Set<string>();
  private featureCount = 0;

  constructor(target: Target, forms: Forms) {
    this.target = target;
    this.forms = forms;
  }

  emit(op: string, inputs: string[], attributes?: Attributes, domain?: Domain): string {
    return this.graph.emit(op, inputs, attributes, domain);
  }

  reshape(name: string, shape: readonly number[]): string {
    return this.emit("Reshape", [name, this.graph.ints(shape)]);
  }

  transpose(name: string, perm: readonly number[]): string {
    return perm.every((from, to) => from === to) ? name : this.emit("Transpose", [name], { perm });
  }

  feature(name: string, shape: readonly number[]): Feature {
    return { id: this.featureCount++, name, shape };
  }

  /** first · second of two features, computed once. */
  product(first: Feature, second: Feature): Feature {
    const key = [first.id, second.id].sort((a, b) => a - b).join();
    let product = this.products.get(key);
    if (product === undefined) {
      product = this.feature(this.emit("Mul", [first.name, second.name]), first.shape);
      this.products.set(key, product);
    }
    return product;
  }

  /** What `compute` emits, the first time; the same arrays whenever the key is asked for again. */
  once<T extends string | readonly string[]>(key: string, compute: () => T): T {
    if (!this.computed.has(key)) this.computed.set(key, compute());
    return this.computed.get(key) as T;
  }

  /** Whether arrays were computed under this key. */
  has(key: string): boolean {
    return this.computed.has(key);
  }

  /** A constant array of the traced program; a number where all elements are equal. */
  constant({ dtype, shape, data }: HostArray): Value {
    const [value] = data;
    if (data.every((other) => Object.is(other, value)) && data.length > 0) {
      return { kind: "literal", value, shape, dtype };
    }
    const name = this.graph.constant(graphType(dtype), shape, data);
    if (shape.length === 1 && data.every((value, i) => value === i)) this.ranges.add(name);
    return wholeView(name, shape, dtype);
  }

  /** Whether the elements of a value are their own positions along an axis. */
  isRange(value: Value, axis: number): boolean {
    if (value.kind !== "view" || value.axes[axis] === -1) return false;
    const repeats = value.axes.every(
      (from, i) => i === axis || from === -1 || value.shape[i] === 1,
    );
    return repeats && this.ranges.has(value.base);
  }

  /** The array in plain order with exactly its shape. */
  plain(value: Value): string {
    let name = this.plains.get(value);
    if (name === undefined) this.plains.set(value, (name = this.makePlain(value)));
    return name;
  }

  private makePlain(value: Value): string {
    switch (value.kind) {
      case "literal":
        return this.filled(value);
      case "view": {
        const { name, shape } = this.compact(value);
        return sameShape(shape, value.shape)
          ? name
          : this.emit("Expand", [name, this.graph.ints(value.shape)]);
      }
      case "deferred":
        return this.plain(this.force(value));
      case "poly":
        return this.forms.poly(this, value);
      case "permuted":
        return this.transpose(this.plain(value.of), value.perm);
      case "sign":
        return this.emit("Less", [this.plain(value.of), this.graph.constant("float32", [], 0)]);
      case "flipped":
        return this.reverse(this.plain(value.of), value.axes);
      case "windows":
        return this.forms.windows(this, value);
      case "ranked":
        return this.forms.ranked(this, value);
      case "padded":
        return this.forms.padded(this, value);
    }
  }

  /** A number repeated to a shape; what is large is made when the program runs, not stored. */
  private filled({ dtype, shape, value }: Literal): string {
    const type = graphType(dtype);
    if (sizeOf(shape) <= 4096) return this.graph.constant(type, shape, value);
    return this.emit("Expand", [this.graph.constant(type, [], value), this.graph.ints(shape)]);
  }

  /** Reverses axes of an array. */
  reverse(name: string, axes: readonly number[]): string {
    const fill = (number: number) => this.graph.ints(axes.map(() => number));
    return this.emit("Slice", [name, fill(-1), fill(-(2 ** 31)), this.graph.ints(axes), fill(-1)]);
  }

  /** A deferred value, computed. Keeps the axes along which its operand repeats. */
  force(value: Value): Value {
    if (value.kind !== "deferred") return value;
    const { name, shape } = this.compact(value.of);
    const done = this.emit(value.op === "neg" ? "Neg" : "Reciprocal", [name]);
    return this.repeated(done, shape, value.shape, value.dtype);
  }

  /** A value of `shape` whose array has size 1 along the axes where it repeats. */
  repeated(base: string, compact: readonly number[], shape: readonly number[], dtype: DType): View {
    const axes = shape.map((size, i) => (compact[i] === size ? i : -1));
    return { kind: "view", base, baseShape: compact, axes, shape, dtype };
  }

  /** The array with size 1 along the axes where it repeats: all that elementwise operations need. */
  compact(value: Value): { name: string; shape: readonly number[] } {
    if (value.kind === "literal") {
      const type = graphType(value.dtype);
      return { name: this.graph.constant(type, [], value.value), shape: value.shape.map(() => 1) };
    }
    if (value.kind === "deferred") return this.compactOf(this.force(value));
    return this.compactOf(value);
  }

  private readonly compacts = new Map<Value, { name: string; shape: readonly number[] }>();

  private compactOf(value: Value): { name: string; shape: readonly number[] } {
    if (value.kind !== "view") return { name: this.plain(value), shape: value.shape };
    let made = this.compacts.get(value);
    if (made === undefined) this.compacts.set(value, (made = this.makeCompact(value)));
    return made;
  }

  private makeCompact({ base, baseShape, axes, shape: full }: View) {
    const shape = full.map((size, i) => (axes[i] === -1 ? 1 : size));
    if (sameShape(shape, baseShape) && axes.every((axis, i) => axis === i || shape[i] === 1)) {
      return { name: base, shape };
    }
    const used = axes.filter((axis) => axis !== -1);
    const sorted = [...used].sort((a, b) => a - b);
    if (used.every((axis, i) => axis === sorted[i])) {
      return { name: this.reshape(base, shape), shape };
    }
    const unused = baseShape.map((_, i) => i).filter((axis) => !used.includes(axis));
    const moved = this.transpose(base, [...used, ...unused]);
    const movedShape = [...used, ...unused].map((axis) => baseShape[axis]);
    return { name: sameShape(movedShape, shape) ? moved : this.reshape(moved, shape), shape };
  }

  /** The sizes of the compact array, without computing anything. */
  compactShape(value: Value): readonly number[] {
    if (value.kind === "literal") return value.shape.map(() => 1);
    if (value.kind === "deferred") return this.compactShape(value.of);
    if (value.kind === "view") {
      return value.shape.map((size, i) => (value.axes[i] === -1 ? 1 : size));
    }
    return value.shape;
  }

  /** The value as a view of an array of the graph. */
  asView(value: Value): View {
    if (value.kind === "deferred") return this.asView(this.force(value));
    if (value.kind === "view") return value;
    return wholeView(this.plain(value), value.shape, value.dtype);
  }

  /** Number of elements that are really there. */
  compactSize(value: Value): number {
    return sizeOf(this.compactShape(value));
  }
}
