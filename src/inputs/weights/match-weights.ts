import type { ModelDimensions } from "../../catalogue/dimensions.js";
import { EMBEDDINGS, HEAD, type TensorShapes, tensorShapes } from "../../catalogue/tensors.js";
import { shown } from "./cause.js";
import type { StoredTensor } from "./safetensors.js";

type Stored = ReadonlyMap<string, StoredTensor>;

/** How stored tensors differ from what a configuration asks for; nothing of it where a run will load them. */
export interface WeightProblems {
  /** Parameters that would keep random values. */
  readonly missing: readonly string[];
  /** Stored tensors that would be dropped. */
  readonly unexpected: readonly string[];
  readonly shapes: readonly string[];
  /** Stored tensors of types that cannot be trained. */
  readonly quantised: readonly string[];
  readonly types: readonly string[];
}

/** Stored by earlier versions of libraries and computed by today's: nothing is lost. Also in the runtime. */
const HARMLESS = /(^|\.)(rotary_emb\.inv_freq|masked_bias|position_ids)$/;
const TRAINABLE = ["F64", "F32", "F16", "BF16"];
/** Experts stored one by one: transformers makes one parameter of a layer's. */
const EXPERT = /^(.*\.mlp\.experts)\.\d+\.(gate_proj|up_proj|down_proj)\.weight$/;
const MIXTRAL_EXPERT = /^(.*\.mlp\.experts)\.\d+\.(w1|w2|w3)\.weight$/;
const BASE = "model.";

/** @returns `undefined` where the configuration's parameters are not known */
export function matchWeights(
  config: unknown,
  dimensions: ModelDimensions,
  stored: Stored,
): WeightProblems | undefined {
  const expected = tensorShapes(config, dimensions);
  return expected && new Matching(expected, dimensions, stored).problems();
}

class Matching {
  readonly #shapes = new Map<string, readonly number[]>();
  readonly #experts = new Map<string, ExpertStack>();
  readonly #unexpected: string[] = [];
  readonly #used: string[] = [];

  constructor(
    private readonly expected: TensorShapes,
    private readonly dimensions: ModelDimensions,
    private readonly stored: Stored,
  ) {
    for (const [key, { shape }] of stored) this.#match(key, shape);
    for (const [name, stack] of this.#experts) this.#shapes.set(name, stack.shape());
  }

  /** As transformers renames it. */
  #match(key: string, shape: readonly number[]): void {
    const renamed = this.#withBase(
      this.#isMixtral ? key.replace(".block_sparse_moe.", ".mlp.") : key,
    );
    const expert = this.#expert(renamed);
    if (expert && this.#addExpert(expert, shape)) {
      this.#used.push(key);
    } else if (this.expected.has(renamed) && !this.#shapes.has(renamed)) {
      this.#shapes.set(renamed, shape);
      this.#used.push(key);
    } else if (!HARMLESS.test(key)) {
      this.#unexpected.push(key);
    }
  }

  /** The decoder may be stored without the model around it, and the head as a part of it. */
  #withBase(key: string): string {
    if (key.startsWith(BASE) && this.#isKnown(key.slice(BASE.length)))
      return key.slice(BASE.length);
    return this.#isKnown(BASE + key) ? BASE + key : key;
  }

  #isKnown(name: string): boolean {
    const expert = this.#expert(name);
    return this.expected.has(expert ? stackName(expert) : name);
  }

  #expert(name: string): RegExpExecArray | null {
    return (this.#isMixtral ? MIXTRAL_EXPERT : EXPERT).exec(name);
  }

  get #isMixtral(): boolean {
    return this.dimensions.model_type === "mixtral";
  }

  #addExpert(expert: RegExpExecArray, shape: readonly number[]): boolean {
    const name = stackName(expert);
    if (!this.expected.has(name)) return false;
    const stack = this.#experts.get(name) ?? new ExpertStack();
    this.#experts.set(name, stack);
    stack.add(expert[2] ?? "", shape);
    return true;
  }

  problems(): WeightProblems {
    const tied = this.dimensions.tied_embeddings;
    const either = this.#shapes.has(EMBEDDINGS) || this.#shapes.has(HEAD);
    const isThere = (name: string) =>
      this.#shapes.has(name) || (tied && either && (name === EMBEDDINGS || name === HEAD));
    const missing = [...this.expected.keys()].filter((name) => !isThere(name));
    const quantised = [...this.#used, ...this.#unexpected].filter(
      (key) => !TRAINABLE.includes(this.stored.get(key)?.type ?? ""),
    );
    const types = new Set(quantised.map((key) => this.stored.get(key)?.type ?? ""));
    return {
      missing,
      unexpected: this.#unexpected,
      shapes: this.#otherShapes(),
      quantised,
      types: [...types].sort(),
    };
  }

  #otherShapes(): readonly string[] {
    const found: string[] = [];
    for (const [name, shape] of this.#shapes) {
      const wanted = this.expected.get(name) ?? [];
      if (shape.join() !== wanted.join())
        found.push(`${name} is [${shown(shape.join(", "))}], not [${wanted.join(", ")}]`);
    }
    return found;
  }
}

function stackName([, prefix, part]: RegExpExecArray): string {
  const isDown = part === "w2" || part === "down_proj";
  return `${prefix}.${isDown ? "down_proj" : "gate_up_proj"}`;
}

/** Experts of a layer, put together: one matrix each, or gate and up one above the other. */
class ExpertStack {
  readonly #parts = new Map<string, (readonly number[])[]>();

  add(part: string, shape: readonly number[]): void {
    const shapes = this.#parts.get(part) ?? [];
    shapes.push(shape);
    this.#parts.set(part, shapes);
  }

  /** Nothing that is asked for where they do not go together. */
  shape(): readonly number[] {
    const parts = [...this.#parts.values()];
    const [first] = parts[0] ?? [];
    const alike = parts.every(
      (shapes) =>
        shapes.length === parts[0]?.length &&
        shapes.every((shape) => shape.join() === first?.join()),
    );
    if (!alike || !first) return [];
    const isDown = this.#parts.has("w2") || this.#parts.has("down_proj");
    const rows = (first[0] ?? 0) * (isDown ? 1 : parts.length);
    return [parts[0]?.length ?? 0, rows, ...first.slice(1)];
  }
}
