import { defineRule } from "../../rule.js";

export default defineRule({
  code: "profile-mismatch",
  needs: "inputs",
  check({ spec, inputs }, report) {
    const { profile } = inputs;
    const { gpu } = spec.cluster;
    const { precision } = spec.model;
    if (!profile || (profile.gpu === gpu && profile.precision === precision)) return;
    report.at("cluster.profile", {
      measured: `${profile.gpu} in ${profile.precision}`,
      wanted: `${gpu} in ${precision}`,
    });
  },
});
