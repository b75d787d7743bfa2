import { aboveZero, number, tokens } from "../kinds.js";
import type { Properties } from "../types.js";

const factor = {
  type: number({ min: 1, max: 1e4 }),
  doc: "Factor by which the number of positions grows.",
  since: 1,
  required: "It says how far positions are stretched.",
} as const;
const original = {
  type: tokens,
  doc: "Positions that the model was made for.",
  since: 1,
  optional: "the configuration's",
} as const;

export const ropeScaling = {
  none: {},
  linear: { factor },
  dynamic: { factor },
  yarn: {
    factor,
    original,
    beta_fast: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Frequencies with this many rotations or more stay as they are.",
      since: 1,
      default: 32,
    },
    beta_slow: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Frequencies with this many rotations or fewer are divided by the factor.",
      since: 1,
      default: 1,
    },
  },
  llama3: {
    factor,
    original,
    low_freq_factor: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Wavelengths above the original positions divided by this are stretched in full.",
      since: 1,
      default: 1,
    },
    high_freq_factor: {
      type: number({ ...aboveZero, max: 1e6 }),
      doc: "Wavelengths below the original positions divided by this stay as they are.",
      since: 1,
      default: 4,
    },
  },
} as const satisfies Readonly<Record<string, Properties>>;
