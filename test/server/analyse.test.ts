import { expect, it } from "vitest";
import { MemoryHost } from "../../src/host/memory-host.js";
import { analyse } from "../../src/server/analyse.js";
import { ParsedFiles } from "../../src/server/parsed-files.js";

const SPEC = 'skrull 1\nimport "a.skrull"\nimport "b.skrull.yaml"\nlet c = a + b\n';

it("parses an imported file again only where its text is another", () => {
  const host = new MemoryHost({
    "/p/a.skrull": "skrull 1\nlet a = 1\n",
    "/p/b.skrull.yaml": "skrull: 1\nlet: {b: 2}\n",
  });
  const files = new ParsedFiles();
  const trees = (open: Readonly<Record<string, string>> = {}) => {
    const found = analyse(host, "/p/spec.skrull", SPEC, (path) => open[path], files);
    expect(found.diagnostics).toEqual([]);
    return found.documents.map(({ tree }) => tree);
  };
  const [, a, b] = trees();
  const again = trees();
  expect(again[1]).toBe(a);
  expect(again[2]).toBe(b);
  const changed = trees({ "/p/a.skrull": "skrull 1\nlet a = 3\n" });
  expect(changed[1]).not.toBe(a);
  expect(changed[1]?.constants[0]?.value).toMatchObject({ value: 3 });
  expect(changed[2]).toBe(b);
});
