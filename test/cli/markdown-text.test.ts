import { describe, expect, it } from "vitest";
import { markdownText } from "../../src/cli/markdown-text.js";

const PAGE = [
  "<!-- Generated. -->",
  "",
  "# some-code",
  "",
  "Use `auto`.",
  "",
  "## Wrong",
  "",
  "```skrull",
  "# a comment, and `no` markup",
  "",
  "skrull 1",
  "```",
  "",
].join("\n");

describe("a page in a terminal", () => {
  it("is plain text", () => {
    expect(markdownText(PAGE, false)).toBe(
      "some-code\n\nUse auto.\n\nWrong\n\n    # a comment, and `no` markup\n\n    skrull 1\n",
    );
  });

  it("shows the beginning of long lines of data, and other lines whole", () => {
    const long = "x".repeat(300);
    const fenced = (language: string) => `\`\`\`${language}\n${long}\n\`\`\``;
    const shown = markdownText(["jsonl", "skrull", ""].map(fenced).join("\n"), false);
    expect(shown.split("\n")).toEqual([`${"x".repeat(98)} …`, `    ${long}`, `    ${long}`, ""]);
  });

  it("has its headings in bold where colour is allowed", () => {
    expect(markdownText(PAGE, true)).toContain("\u001b[1msome-code\u001b[0m\n");
    expect(markdownText(PAGE, true)).toContain("    # a comment");
  });
});
