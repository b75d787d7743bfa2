import { describe, expect, it } from "vitest";
import { spec } from "../cli/run.js";
import { apply } from "./apply.js";
import { type Files, lintProject } from "./project.js";

const LIBRARY = "skrull 1\nlet small = 1K\ncluster pair { gpus = 2 gpu = cpu }\n";
const HEAD = 'skrull 1\nimport "lib.skrull"\n';

const withHead = (head: string, parts: Readonly<Record<string, string>> = {}) =>
  spec(parts).replace("skrull 1\n", `skrull 1\n${head}\n`);

/** What the two rules say, as `code line: why`. */
async function found(text: string, files: Files = { "lib.skrull": LIBRARY }) {
  const diagnostics = await lintProject({ ...files, "spec.skrull": text });
  return diagnostics
    .filter(({ code }) => code === "unused-import" || code === "unused-constant")
    .map(({ code, range, why }) => `${code} ${range.start.line}: ${why}`);
}

describe("an import", () => {
  const unused = "No name that it declares is used.";

  it("is used by a reference, a base, a constant, and through another import", async () => {
    const data = '{ train = ["d"] tokenizer = "bytes" max_length = small }';
    for (const text of [
      withHead('import "lib.skrull"', { data }),
      withHead('import "lib.skrull"\ncluster two extends pair {}\nlet n = small\nlet m = n'),
      withHead('import "deep.skrull"', { data }),
    ]) {
      const files = { "lib.skrull": LIBRARY, "deep.skrull": HEAD };
      expect((await found(text, files)).filter((one) => !one.includes("constant"))).toEqual([]);
    }
  });

  it("is used by another import that relies on it", async () => {
    const files = { "lib.skrull": LIBRARY, "user.skrull": "skrull 1\nlet twice = small * 2\n" };
    const data = '{ train = ["d"] tokenizer = "bytes" max_length = twice }';
    const text = withHead('import "user.skrull"\nimport "lib.skrull"', { data });
    expect(await found(text, files)).toEqual([]);
  });

  it("brings nothing where it is written again, or nobody needs it", async () => {
    const data = '{ train = ["d"] tokenizer = "bytes" max_length = small }';
    const twice = withHead('import "lib.skrull"\nimport "./lib.skrull"', { data });
    expect(await found(twice)).toEqual(["unused-import 3: It is imported above."]);
    expect(await found(withHead('import "lib.skrull"'))).toEqual([`unused-import 2: ${unused}`]);
  });

  it("is told once of several runs, and removed with its line", async () => {
    const runs = "run a {}\nrun b {}\nrun c {}";
    const text = withHead(`import "lib.skrull"\n${runs}`);
    expect(await found(text)).toEqual([`unused-import 2: ${unused}`]);
    const [first] = await lintProject({ "lib.skrull": LIBRARY, "spec.skrull": text });
    expect(first?.fix?.safe).toBe(true);
    expect(first?.fix && apply(text, first.fix)).toBe(withHead(runs));
  });

  it("of a library may be there for those who import it", async () => {
    expect(await found(`${HEAD}let own = 3\n`)).toEqual([]);
  });
});

describe("a constant", () => {
  it("of a key's own word is not used by that key", async () => {
    const text = withHead("let auto = 4", { parallel: "{ context = auto }" });
    expect((await found(text)).map((one) => one.slice(0, 17))).toEqual(["unused-constant 2"]);
  });

  it("is used where every run says something else", async () => {
    const train = "{ optimizer = adamw { lr = 1e-3 } steps = n }";
    const text = withHead("let n = 4\nrun a { train { steps = 2 } }", { train });
    expect(await found(text)).toEqual([]);
  });

  it("of an imported file is that file's business", async () => {
    expect(await found(withHead('import "lib.skrull"', { cluster: "extends pair {}" }))).toEqual(
      [],
    );
  });
});
