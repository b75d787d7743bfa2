import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { project, ROOT, skrull } from "../cli/run.js";

const TOUR = readFileSync(join(ROOT, "docs/tour.md"), "utf8");

/** Every block of code that is a file, by the name that it has there. */
const files = Object.fromEntries(
  [...TOUR.matchAll(/^```(?:skrull|yaml) file=(\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, name = "", text = ""]) => [name, text],
  ),
);

describe("the tour", () => {
  it("has every spec in a block that is tested", () => {
    expect(Object.keys(files).length).toBeGreaterThan(5);
    expect(TOUR.match(/^```skrull$/m)).toBeNull();
  });

  it("shows specs without a remark, and formatted", () => {
    const folder = project(files);
    const lint = skrull(["lint", ".", "--deny-warnings"], { cwd: folder });
    expect(lint.stdout).toMatch(/^\d files checked: 0 errors, 0 warnings\n$/);
    expect(lint.status).toBe(0);
    expect(skrull(["fmt", ".", "--diff"], { cwd: folder })).toMatchObject({
      status: 0,
      stdout: "",
    });
  });
});
