import { CONSTANT_VALUES, MACHINE_CONSTANTS } from "../../dist/cost/machine-constants.js";
import { measuredSeconds, predict } from "./plan.mjs";

const STEPS = [0.6, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.6];
/** Shares cannot exceed one. */
const SHARES = [
  "matmul_in_training",
  "attention_in_training",
  "hopper_attention_in_training",
  "zero_overlap",
];
const WEIGHTS = { good: 1, fair: 0.7, doubtful: 0.3, limit: 0 };

/** Constants that published step times decide. */
export const FITTED = Object.entries(MACHINE_CONSTANTS).flatMap(([name, { from }]) =>
  from === "fitted" ? [name] : [],
);

/** Values that nobody fitted, from which a fit may start. */
export const UNFITTED = {
  matmul_in_training: 1,
  attention_in_training: 1,
  hopper_attention_in_training: 1,
  elementwise: 1,
  zero3_layer_us: 1000,
  adapter_factor: 1,
  zero_overlap: 0.5,
};

/** Predictions of step times; of each point only those anew whose constants have changed. Changes the compiler's constants. */
export class Fit {
  #models;
  #known = new Map();
  #asked = new Set();
  #values = { ...CONSTANT_VALUES };

  constructor(models) {
    this.#models = models;
    for (const name of Object.keys(CONSTANT_VALUES))
      Object.defineProperty(CONSTANT_VALUES, name, {
        get: () => {
          this.#asked.add(name);
          return this.#values[name];
        },
      });
  }

  get values() {
    return { ...this.#values };
  }

  set values(values) {
    Object.assign(this.#values, values);
  }

  /** Predicted over measured; a prediction depends on nothing but the constants that it asked for. */
  ratio(point) {
    const known = this.#known.get(point.id) ?? [];
    this.#known.set(point.id, known);
    const found = known.find(({ asked }) =>
      asked.every(([name, value]) => this.#values[name] === value),
    );
    if (found) return found.ratio;
    this.#asked.clear();
    const ratio = predict(point, this.#models[point.model]).seconds / measuredSeconds(point);
    known.unshift({ asked: [...this.#asked].map((name) => [name, this.#values[name]]), ratio });
    return ratio;
  }

  /**
   * Mean of absolute log errors; no more than a factor of two counts, so that single rows do not decide, and a source counts
   * as the root of its rows, so that its machine and its program do not.
   */
  loss(points) {
    const rows = new Map();
    for (const { source } of points) rows.set(source, (rows.get(source) ?? 0) + 1);
    let [total, weights] = [0, 0];
    for (const point of points) {
      const weight = WEIGHTS[point.trust] / Math.sqrt(rows.get(point.source));
      if (weight === 0) continue;
      total += weight * Math.min(Math.abs(Math.log(this.ratio(point))), Math.LN2);
      weights += weight;
    }
    return total / weights;
  }

  /** Moves one constant after another where that lowers the loss, until none does, or so many rounds. */
  to(points, rounds, told = () => {}) {
    let best = this.loss(points);
    told(`start: ${best.toFixed(4)}`);
    for (let round = 0; round < rounds; round += 1) {
      const before = best;
      for (const name of FITTED) best = this.#moved(name, points, best);
      told(`round ${round + 1}: ${best.toFixed(4)}`);
      if (best === before) break;
    }
  }

  #moved(name, points, before) {
    const start = this.#values[name];
    let [best, kept] = [before, start];
    for (const step of STEPS) {
      this.#values[name] = SHARES.includes(name) ? Math.min(1, start * step) : start * step;
      const loss = this.loss(points);
      if (loss < best - 1e-5) [best, kept] = [loss, this.#values[name]];
    }
    this.#values[name] = kept;
    return best;
  }
}
