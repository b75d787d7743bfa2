import { defineRule } from "../../rule.js";

/** A commit's whole name: branches and tags move, and short names may come to fit two commits. */
const COMMIT = /^[0-9a-f]{40}$/;

export default defineRule({
  code: "revision-unpinned",
  needs: "spec",
  check({ spec: { model } }, report) {
    const { label, config, weights, path, revision = "main" } = model;
    const fromHub = label !== undefined && weights === "pretrained" && path === undefined;
    if (!fromHub || config === undefined || COMMIT.test(revision)) return;
    const place = model.revision === undefined ? "model" : "model.revision";
    report.at(place, { name: label, revision });
  },
});
