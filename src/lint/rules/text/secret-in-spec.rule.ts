import { findSecrets } from "../../../foundation/secrets.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "secret-in-spec",
  needs: "text",
  check({ documents }, report) {
    for (const document of documents) {
      for (const { start, end, kind } of findSecrets(document.text))
        report.span(document, start, end, { kind });
    }
  },
});
