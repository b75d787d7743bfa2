import { defineRule } from "../../rule.js";

export default defineRule({
  code: "betas-unsound",
  needs: "spec",
  check({ spec }, report) {
    const { optimizer } = spec.train;
    if (!("betas" in optimizer)) return;
    const [first = 0, second = 0] = optimizer.betas;
    const fault = faultOf(first, second);
    if (fault) report.at("train.optimizer.betas", { first, second, ...fault });
  },
});

function faultOf(first: number, second: number) {
  if (first === 1 || second === 1) {
    return {
      problem: "divide by zero",
      reason:
        "A running average with decay 1 never leaves zero, and its correction divides by 1 - 1.",
    };
  }
  if (second >= first) return undefined;
  return {
    problem: "average squares over fewer steps than gradients",
    reason:
      "The step is then scaled by a spread that forgets faster than the mean it scales, and can diverge.",
  };
}
