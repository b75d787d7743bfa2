import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BaselineHost, STAGES } from "./baselines.js";

const ROOT = fileURLToPath(new URL("./baselines/", import.meta.url));
const SPECS = join(ROOT, "specs");
const EXPECTED = join(ROOT, "expected");
/** `npm run baselines`: write what is made, and remove what no spec makes any more. */
const WRITE = process.env["SKRULL_BASELINES"] === "write";

const specs = readdirSync(SPECS)
  .filter((name) => /\.skrull(\.yaml|\.json)?$/.test(name))
  .sort();

describe("the baselines", () => {
  it.each(specs)("of %s", async (file) => {
    const made = await baselinesOf(file);
    const folder = join(EXPECTED, file);
    const missing: string[] = [];
    for (const [name, text] of Object.entries(made)) {
      const path = join(folder, name);
      const there = existsSync(path);
      if (WRITE || !there) write(path, text);
      if (!there) missing.push(name);
      else if (!WRITE) expect(text, `${file}: ${name}`).toBe(readFileSync(path, "utf8"));
    }
    // Written for review, but nobody has looked at them yet.
    if (!WRITE) expect(missing, "baselines that were missing and are now written").toEqual([]);
    const left = existsSync(folder) ? readdirSync(folder).filter((name) => !(name in made)) : [];
    if (WRITE) for (const name of left) rmSync(join(folder, name));
    else expect(left, "baselines that nothing makes any more").toEqual([]);
  });

  it("are of specs that are there", () => {
    const left = readdirSync(EXPECTED).filter((name) => !specs.includes(name));
    if (WRITE) for (const name of left) rmSync(join(EXPECTED, name), { recursive: true });
    else expect(left).toEqual([]);
  });
});

async function baselinesOf(file: string): Promise<Readonly<Record<string, string>>> {
  const made: Record<string, string> = {};
  for (const [name, stage] of Object.entries(STAGES)) {
    const result = await stage({ file, host: new BaselineHost(SPECS) });
    if (result !== undefined) made[name] = result;
  }
  return made;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
