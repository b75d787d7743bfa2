import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../cli/run.js";

const LIST = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
const { stdout } = spawnSync("git", LIST, { cwd: ROOT, encoding: "utf8" });
/** Of the repository: what a build makes is not on the hosting site. */
const TRACKED = stdout.split("\0").filter((path) => path !== "" && existsSync(join(ROOT, path)));
const FOLDERS = new Set(TRACKED.flatMap(foldersOf));
const PAGES = TRACKED.filter(
  (path) => /^[^/]*\.md$|^(docs|editors|bench|examples)\/.*\.md$/.test(path) && !isExample(path),
);
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Files of examples of diagnostics are data. */
function isExample(path: string): boolean {
  return path.startsWith("docs/diagnostics/examples/");
}

function foldersOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === "." ? [] : [folder, ...foldersOf(folder)];
}

/** As the hosting site makes them of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)];
  const slug = (title: string) =>
    title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
  return new Set(headings.map(([, title = ""]) => slug(title)));
}

function problemOf(page: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#");
  const target =
    path === "" ? page : normalize(join(dirname(page), decodeURI(path))).replace(/\/$/, "");
  if (!TRACKED.includes(target) && !FOLDERS.has(target)) return `${link}: no such file`;
  if (anchor === undefined || !target.endsWith(".md")) return undefined;
  return anchorsOf(read(target)).has(anchor) ? undefined : `${link}: no such heading`;
}

it.each(PAGES)("links of %s lead to files of the repository and to headings in them", (page) => {
  const links = [...read(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, link = ""]) => link);
  expect(links.flatMap((link) => problemOf(page, link) ?? [])).toEqual([]);
});
