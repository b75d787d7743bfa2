import { describe, expect, it } from "vitest";
import { analyze } from "../../src/semantics/analyze.js";

const about = (block: string) =>
  analyze("a.skrull", `skrull 1\n${block}\n`).diagnostics.find(({ code }) =>
    ["wrong-unit", "invalid-arithmetic"].includes(code),
  );

/** What is said, without the list of units, and what a fix would write. */
function answer(block: string) {
  const found = about(block);
  const meant = /^Did you mean (.*?)\?/.exec(found?.help ?? "")?.[1];
  return [meant, found?.fix?.edits[0]?.new_text];
}

describe("units that others write", () => {
  it.each([
    ["400 Gbps", "Gbit/s"],
    ["400 Gb/s", "Gbit/s"],
    ["400 gbps", "Gbit/s"],
    ["400 Gbit", "Gbit/s"],
    ["400 Gb", "Gbit/s"],
    ["100 Mbps", "Mbit/s"],
    ["50 GB", "GB/s"],
    ["50 GBps", "GB/s"],
    ["50 TB", "TB/s"],
  ])("of a bandwidth: %s", (value, unit) => {
    expect(answer(`cluster { network = ${value} }`)).toEqual([unit, unit]);
  });

  it.each([
    ["80 gb", "GB"],
    ["80 Gi", "GiB"],
    ["80 GIB", "GiB"],
    ["80 MiBs", "MiB"],
    ["80 gigabytes", "GB"],
    ["80 GiBB", "GiB"],
  ])("of memory: %s", (value, unit) => {
    expect(answer(`memory { budget = ${value} }`)).toEqual([unit, unit]);
  });

  it.each([
    ["32 k tokens", "K"],
    ["32 K tokens", "K"],
    ["32 Ki", "K"],
    ["32768 tok", "tokens"],
  ])("of tokens: %s", (value, unit) => {
    expect(answer(`data { max_length = ${value} overlong = drop }`)).toEqual([unit, unit]);
  });

  it("of tokens, where words stand beside them", () => {
    expect(answer("model { tiled_mlp = 4 k tokens }")).toEqual(["K", "K"]);
    expect(about("model { tiled_mlp = 4 GiB }")?.help).toContain("Units of a number of tokens");
    for (const value of ["4K", "off", "auto"])
      expect(about(`model { tiled_mlp = ${value} }`)).toBeUndefined();
    const { diagnostics } = analyze("a.skrull", "skrull 1\nmodel { tiled_mlp = maybe }\n");
    expect(diagnostics.map(({ message }) => message)).toContain(
      "'tiled_mlp' takes a number of tokens or off or auto, not a bare word",
    );
  });

  it.each([
    ["90 sec", "s"],
    ["5 minutes", "min"],
    ["2 hours", "h"],
  ])("of time: %s", (value, unit) => {
    expect(answer(`cluster { timeout = ${value} }`)).toEqual([unit, unit]);
  });

  it.each([
    ["memory { budget = 80G }", "GB or GiB"],
    ["cluster { network = 50 gb/s }", "Gbit/s or GB/s"],
    ["cluster { network = 400 GBPS }", "Gbit/s or GB/s"],
    ["let room = 80 Gb", "GB or Gbit/s"],
  ])("are both named where they may be two, and no fix chooses: %s", (block, units) => {
    expect(answer(block)).toEqual([units, undefined]);
  });

  it.each([
    "data { max_length = 1G }",
    "memory { budget = 80 sec }",
    "memory { budget = 1 P }",
    "cluster { network = 400 Kbps }",
    "schedule { global_batch = 1G }",
    "schedule { global_batch = 1 GiB }",
    "cluster { timeout = 3 days }",
  ])("are only listed where none is of that magnitude: %s", (block) => {
    expect(answer(block)).toEqual([undefined, undefined]);
    expect(about(block)?.help).toMatch(
      /^Units of |^The only units of a plain number are K and M\.$/,
    );
  });
});
