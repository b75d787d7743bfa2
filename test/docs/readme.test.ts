import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { project, ROOT, skrull } from "../cli/run.js";

const README = readFileSync(join(ROOT, "README.md"), "utf8");

it("the README's specs are without a remark, and formatted", () => {
  const specs = [...README.matchAll(/^```skrull\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  expect(specs).toHaveLength(README.match(/^skrull 1$/gm)?.length ?? 0);
  expect(specs).not.toEqual([]);
  const folder = project(Object.fromEntries(specs.map((text, n) => [`${n}.skrull`, text])));
  const lint = skrull(["lint", ".", "--deny-warnings"], { cwd: folder });
  expect(lint.stdout).toMatch(/ 0 errors, 0 warnings\n$/);
  const format = skrull(["fmt", ".", "--diff"], { cwd: folder });
  expect(format).toMatchObject({ status: 0, stdout: "" });
});
