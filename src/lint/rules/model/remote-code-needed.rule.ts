import { defineRule } from "../../rule.js";

export default defineRule({
  code: "remote-code-needed",
  needs: "inputs",
  check({ spec, inputs }, report) {
    const { auto_map: map } = inputs.modelConfig as { auto_map?: unknown };
    if (typeof map !== "object" || map === null) return;
    const names = Object.values(map).filter((name) => typeof name === "string");
    if (names.length === 0) return;
    report.at("model.config", {
      file: spec.model.config ?? "the configuration",
      names: names.slice(0, 3).join(", "),
      model_type: inputs.dimensions.model_type,
    });
  },
});
