import type { DescribedMatrix } from "../foundation/records.generated.js";
import { type Experts, keyValueWidth, queryWidth, type TransformerShape } from "./shape.js";

/** Matrices of layers, alike ones together: all that can have an adapter. */
export type Matrix = DescribedMatrix;

/** Targets that mean matrices by what they are for, whatever a family calls them. */
const KINDS: Readonly<Record<string, readonly Matrix["kind"][]>> = {
  attention: ["attention"],
  mlp: ["mlp"],
  "all-linear": ["attention", "mlp"],
  experts: ["experts"],
};

/** Targets: kinds, and names that transformers gives to linear modules of layers. */
export const ADAPTABLE = [
  ...["attention", "mlp", "all-linear", "experts"],
  ...["q_proj", "k_proj", "v_proj", "o_proj"],
  ...["gate_proj", "up_proj", "down_proj"],
  ...["c_fc", "c_proj", "c_attn", "fc1", "fc2"],
  ...["qkv_proj", "gate_up_proj", "out_proj", "in_proj"],
  ...["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj"],
  ...["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"],
] as const;

export type Adaptable = (typeof ADAPTABLE)[number];

/** What adapters a spec asks for. */
export interface AdapterChoice {
  readonly rank: number;
  readonly targets: readonly Adaptable[];
  readonly dora: boolean;
  /** Ends of the model that are trained whole. */
  readonly modules_to_save: readonly ("embedding" | "head")[];
  readonly base: "model" | "nf4";
  readonly double_quantisation: boolean;
}

/** What decides adapters of a model. */
export interface AdaptedModel {
  readonly shape: TransformerShape;
  readonly matrices: readonly Matrix[];
  readonly resized?: ResizedVocabulary;
}

/** A vocabulary that has been made larger. */
export interface ResizedVocabulary {
  /** Rows that the stored weights have. */
  readonly stored: number;
  /** Ids of the tokenizer; rows beyond are padding. */
  readonly tokens: number;
}

interface OfLayer {
  readonly attention: number;
  readonly mlp: number;
}

/** Adapters beside frozen matrices. */
export interface LoraShape {
  readonly rank: number;
  /** Inputs and outputs of every adapted linear module of a layer, together, the mean over layers. */
  readonly widths: number;
  /** Adapted linear modules of a layer, the mean over layers. */
  readonly matrices: OfLayer;
  /** That are trained, over all layers. */
  readonly parameters: number;
  /** `null` where no magnitudes are trained. */
  readonly dora: DoraShape | null;
  /** `null` where no experts have adapters that are stacked in one parameter. */
  readonly stacked: StackedShape | null;
  readonly ends: EndsShape;
  /** `null` where frozen weights keep the model's precision. */
  readonly fourBit: FourBitShape | null;
}

/** Frozen matrices in NF4. */
export interface FourBitShape {
  readonly weights: number;
  readonly bitsPerWeight: number;
  /** Weights of the largest matrix. */
  readonly largest: number;
}

/** What is trained of the embedding and the output head. */
export interface EndsShape {
  /** Whether the head has a gradient of its own size. */
  readonly head: boolean;
  /** Whether only rows of new tokens are trained, which are put among the others in every forward. */
  readonly rows: boolean;
  readonly parameters: number;
}

/** What DoRA computes with besides. */
export interface DoraShape {
  /** Outputs of the adapted modules of a layer, the mean over layers. */
  readonly outputs: OfLayer;
  /** The adapted matrices: their inputs and outputs, and how many there are. */
  readonly sizes: readonly Pick<Matrix, "inputs" | "outputs" | "count">[];
}

/** Experts whose weights peft adds the adapters to, in every forward. */
export interface StackedShape {
  /** Layers that have such. */
  readonly layers: number;
  /** Elements of the adapted parameters of one layer. */
  readonly elements: number;
  /** Of each of them, in the order of the forward. */
  readonly sizes: readonly number[];
}

/**
 * The matrices of a model whose configuration the compiler reads. Where layers have experts, peft takes the names of dense
 * MLPs for parts of these, so that they can have no adapters.
 */
export function matricesOf(shape: TransformerShape): readonly Matrix[] {
  const { hidden_size: hidden, layers, experts } = shape;
  const query = queryWidth(shape);
  const keyValue = keyValueWidth(shape) / 2;
  const own = (kind: Matrix["kind"], count: number) => (name: string, from: number, to: number) =>
    ({ name, kind, inputs: from, outputs: to, count }) as const;
  const attention = own("attention", layers);
  const mlp = own("mlp", layers);
  return [
    attention("q_proj", hidden, query),
    attention("k_proj", hidden, keyValue),
    attention("v_proj", hidden, keyValue),
    attention("o_proj", query, hidden),
    ...(experts ? expertsOf(shape, experts) : mlpOf(shape, mlp)),
  ];
}

function mlpOf(
  { hidden_size: hidden, intermediate_size: width, gated_mlp }: TransformerShape,
  own: (name: string, from: number, to: number) => Matrix,
): readonly Matrix[] {
  const [up, down] = gated_mlp ? ["up_proj", "down_proj"] : ["c_fc", "c_proj"];
  const gate = gated_mlp ? [own("gate_proj", hidden, width)] : [];
  return [...gate, own(up, hidden, width), own(down, width, hidden)];
}

function expertsOf({ hidden_size: hidden }: TransformerShape, experts: Experts): readonly Matrix[] {
  const stacked = experts.count;
  const own = { kind: "experts", count: experts.layers * stacked, stacked } as const;
  return [
    { name: "gate_up_proj", inputs: hidden, outputs: 2 * experts.width, ...own },
    { name: "down_proj", inputs: experts.width, outputs: hidden, ...own },
  ];
}

/** The matrices that a target means: those of a kind, or linear modules outside experts by their name. */
export function meantBy(target: string, matrices: readonly Matrix[]): readonly Matrix[] {
  const kinds = Object.hasOwn(KINDS, target) ? KINDS[target] : undefined;
  return matrices.filter(({ kind, name }) =>
    kinds ? kinds.includes(kind) : kind !== "experts" && name === target,
  );
}

/** Targets that mean something in a model. */
export const adaptableOf = (matrices: readonly Matrix[]): readonly Adaptable[] =>
  ADAPTABLE.filter((target) => meantBy(target, matrices).length > 0);

/** The adapters of a model of so many layers. */
export function loraShape(model: AdaptedModel, choice: AdapterChoice): LoraShape {
  const { rank, targets, dora, modules_to_save } = choice;
  const { matrices, shape } = model;
  const { layers } = shape;
  const ends = endsShape(model, modules_to_save);
  const wanted = new Set(targets.flatMap((target) => meantBy(target, matrices)));
  const chosen = matrices.filter((matrix) => wanted.has(matrix));
  const linear = chosen.filter(({ stacked }) => stacked === undefined);
  const magnitudes = dora ? sum(linear, ({ outputs }) => outputs) : 0;
  return {
    rank,
    widths: sum(linear, width) / layers,
    matrices: ofLayer(linear, layers, () => 1),
    parameters: rank * sum(chosen, width) + magnitudes + ends.parameters,
    dora: dora
      ? { outputs: ofLayer(linear, layers, ({ outputs }) => outputs), sizes: linear }
      : null,
    stacked: stackedShape(chosen),
    ends,
    fourBit: fourBitShape(matrices, choice),
  };
}

/** Weights of a block, which has a scale; and, quantised twice, scales of a block, which has one in fp32. */
const BLOCK = 64;
const BLOCK_OF_SCALES = 256;

/** A scale has 32 bits, or 8 and its share of another's 32 (`quantize_4bit` of bitsandbytes). */
function fourBitShape(
  matrices: readonly Matrix[],
  { base, double_quantisation }: AdapterChoice,
): FourBitShape | null {
  if (base === "model") return null;
  const kept = matrices.filter(({ kind }) => kind === "attention" || kind === "mlp");
  const scale = double_quantisation ? 8 + 32 / BLOCK_OF_SCALES : 32;
  const size = ({ inputs, outputs }: Matrix) => inputs * outputs;
  return {
    weights: sum(kept, size),
    bitsPerWeight: 4 + scale / BLOCK,
    largest: Math.max(0, ...kept.map(size)),
  };
}

/** Tied ends are trained together. New tokens have rows of their own where no end is trained whole. */
function endsShape(
  { shape, resized }: AdaptedModel,
  saved: AdapterChoice["modules_to_save"],
): EndsShape {
  const { hidden_size: hidden, vocab_size: vocabulary, tied_embeddings: tied } = shape;
  if (saved.length > 0) {
    const count = tied ? 1 : new Set(saved).size;
    const head = tied || saved.includes("head");
    return { head, rows: false, parameters: count * vocabulary * hidden };
  }
  const rows = newTokens(resized);
  return { head: rows > 0, rows: rows > 0, parameters: rows * hidden * (tied ? 1 : 2) };
}

/** Tokens that the stored weights have no rows for. */
export const newTokens = (resized: ResizedVocabulary | undefined): number =>
  resized ? Math.max(0, resized.tokens - resized.stored) : 0;

const width = ({ inputs, outputs }: Matrix): number => inputs + outputs;

/** Of a figure of every matrix, over all of them. */
function sum(matrices: readonly Matrix[], of: (matrix: Matrix) => number): number {
  let total = 0;
  for (const matrix of matrices) total += matrix.count * of(matrix);
  return total;
}

function ofLayer(
  matrices: readonly Matrix[],
  layers: number,
  of: (matrix: Matrix) => number,
): OfLayer {
  const part = (attention: boolean) =>
    sum(
      matrices.filter(({ kind }) => (kind === "attention") === attention),
      of,
    ) / layers;
  return { attention: part(true), mlp: part(false) };
}

function stackedShape(chosen: readonly Matrix[]): StackedShape | null {
  const sizes = chosen.flatMap(({ stacked, inputs, outputs, count }) =>
    stacked === undefined
      ? []
      : [{ elements: stacked * inputs * outputs, layers: count / stacked }],
  );
  if (sizes.length === 0) return null;
  const layers = Math.max(...sizes.map((size) => size.layers));
  let total = 0;
  for (const size of sizes) total += size.layers * size.elements;
  return { layers, elements: total / layers, sizes: sizes.map(({ elements }) => elements) };
}
