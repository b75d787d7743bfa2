import { defineRule } from "../../rule.js";

export default defineRule({
  code: "clip-unusual",
  needs: "spec",
  options: {
    least: { doc: "Norms below this are reported.", default: 0.01, min: 0, max: 1e9 },
    most: { doc: "Norms above this are reported.", default: 100, min: 0, max: 1e9 },
  },
  check({ spec }, report, { least, most }) {
    const { clip_norm: clip } = spec.train;
    if (clip === 0 || (clip >= least && clip <= most)) return;
    const reason =
      clip < least
        ? "Nearly every step is then cut to the same tiny length, whatever its gradient."
        : "No sound gradient is that long, so nothing is ever clipped.";
    report.at("train.clip_norm", { clip, reason });
  },
});
