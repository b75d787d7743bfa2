import { CONSTANT_VALUES, MACHINE_CONSTANTS } from "../../dist/cost/machine-constants.js";
import { measuredSeconds, predict } from "./plan.mjs";

const STEPS = [0.6, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.6];
/** Shares cannot exceed one. */
const MOST = { zero_overlap: 1, matmul_in_training: 1 };
const WEIGHTS = { good: 1, fair: 0.7, doubtful: 0.3, limit: 0 };

/** Constants that published step times decide. */
export const FITTED = Object.entries(MACHINE_CONSTANTS).flatMap(([name, { from }]) =>
  from === "fitted" ? [name] : [],
);

/** Mean of absolute log errors; no more than a factor of two counts, so that single rows do not decide. */
export function lossOf(points, models) {
  let total = 0;
  let weights = 0;
  for (const point of points) {
    const measured = measuredSeconds(point);
    const weight = WEIGHTS[point.trust];
    if (measured === undefined || weight === 0) continue;
    const error = Math.abs(Math.log(predict(point, models[point.model]).seconds / measured));
    total += weight * Math.min(error, Math.LN2);
    weights += weight;
  }
  return total / weights;
}

/** Moves one constant after another where that lowers the loss; changes the compiler's constants. */
export function fitTo(points, models, rounds, told = () => {}) {
  let best = lossOf(points, models);
  told(`start: ${best.toFixed(4)}`);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of FITTED) {
      const before = CONSTANT_VALUES[name];
      let kept = before;
      for (const step of STEPS) {
        const tried = Math.min(MOST[name] ?? Number.POSITIVE_INFINITY, before * step);
        CONSTANT_VALUES[name] = tried;
        const loss = lossOf(points, models);
        if (loss < best - 1e-5) {
          best = loss;
          kept = tried;
        }
      }
      CONSTANT_VALUES[name] = kept;
    }
    told(`round ${round + 1}: ${best.toFixed(4)}`);
  }
}
