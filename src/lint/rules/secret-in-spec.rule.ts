import { findSecrets } from "../../foundation/secrets.js";
import { defineRule } from "../rule.js";

export default defineRule({
  code: "secret-in-spec",
  needs: "spec",
  check({ text }, report) {
    for (const { start, end, kind } of findSecrets(text)) report.span(start, end, { kind });
  },
});
