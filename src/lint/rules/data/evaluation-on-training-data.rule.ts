import { minimatch } from "minimatch";
import { normalize } from "pathe";
import { isGlob } from "../../../host/files.js";
import { defineRule } from "../../rule.js";

export default defineRule({
  code: "evaluation-on-training-data",
  needs: "spec",
  check({ spec, lengths }, report) {
    const trained = spec.data.train.map((path) => normalize(path));
    const digests = new Map(lengths?.train.index.files.map((file) => [file.sha256, file.path]));
    const same = lengths?.evaluation?.index.files.find(({ sha256 }) => digests.has(sha256));
    for (const [n, path] of spec.evaluate.data.entries()) {
      const name = normalize(path);
      const named = trained.some((pattern) => covers(pattern, name));
      const copied = same && covers(name, normalize(same.path));
      if (named || copied)
        report.at(`evaluate.data.${n}`, { file: named ? path : (same?.path ?? path) });
    }
  },
});

/** Whether a path or pattern names a file for certain: of two patterns only when they are one. */
const covers = (pattern: string, path: string): boolean =>
  pattern === path ||
  (isGlob(pattern) &&
    !isGlob(path) &&
    minimatch(path, pattern, { nocomment: true, nonegate: true }));
