import { modelByName } from "../../../catalogue/names.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "hub-weights-quantised",
  needs: "spec",
  check({ spec: { model } }, report) {
    const { label, config, weights, path } = model;
    const fromHub = label !== undefined && weights === "pretrained" && path === undefined;
    if (!fromHub || config !== undefined) return;
    const how = modelByName(label)?.quantised;
    if (how !== undefined) report.at("model.label", { name: label, how });
  },
});
