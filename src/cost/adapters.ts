import { keyValueWidth, queryWidth, type TransformerShape } from "./shape.js";

/** Matrices of a layer that can have a low-rank adapter, by the names that transformers gives them. */
export const ADAPTABLE = [
  ...["q_proj", "k_proj", "v_proj", "o_proj"],
  ...["gate_proj", "up_proj", "down_proj"],
  ...["c_fc", "c_proj"],
] as const;

export type Adaptable = (typeof ADAPTABLE)[number];

/** Adapters beside frozen matrices. */
export interface LoraShape {
  readonly rank: number;
  /** Inputs and outputs of every adapted matrix of a layer, together. */
  readonly widths: number;
}

/** Those that the layers of a model have; experts are one tensor of transformers, and take none. */
export function adaptableOf({ gated_mlp, experts }: TransformerShape): readonly Adaptable[] {
  const mlp = gated_mlp ? ADAPTABLE.slice(4, 7) : ADAPTABLE.slice(7);
  return [...ADAPTABLE.slice(0, 4), ...(experts ? [] : mlp)];
}

/** The adapters of these matrices. */
export function loraShape(
  shape: TransformerShape,
  rank: number,
  targets: readonly Adaptable[],
): LoraShape {
  let widths = 0;
  for (const target of new Set(targets)) widths += widthsOf(target, shape);
  return { rank, widths };
}

/** Parameters that adapters add to a model. */
export const adapterParameters = (shape: TransformerShape, { rank, widths }: LoraShape): number =>
  shape.layers * rank * widths;

/** Inputs and outputs of a matrix. */
function widthsOf(target: Adaptable, shape: TransformerShape): number {
  const { hidden_size: hidden, intermediate_size: mlp } = shape;
  switch (target) {
    case "q_proj":
    case "o_proj":
      return hidden + queryWidth(shape);
    case "k_proj":
    case "v_proj":
      return hidden + keyValueWidth(shape) / 2;
    default:
      return hidden + mlp;
  }
}
