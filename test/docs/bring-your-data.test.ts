import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MODEL, project, ROOT, skrull } from "../cli/run.js";

const PAGE = readFileSync(join(ROOT, "docs/bring-your-data.md"), "utf8");

/** What a spec of the page has besides the `data` block that the page shows. */
const REST = `
model {
  config    = "model.json"
  weights   = random
  precision = fp32
}

cluster {
  gpus = 1
  gpu  = cpu
}

memory {
  budget = 3 GiB
}

schedule {
  global_batch = 1
}

train {
  optimizer = adamw { lr = 1e-3 }
}
`;

/** Every block of code that is a file, by the name that it has there. */
const shown = [...PAGE.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, name = "", text = ""]) => [name, text] as const,
);

const files = Object.fromEntries(
  shown.map(([name, text]) => [
    name,
    name.endsWith(".skrull") ? `skrull 1\n\n${text}${REST}` : text,
  ]),
);

/** Every command with what the page shows of its output. */
const commands = [
  ...PAGE.matchAll(/^```sh\nnpx skrull (.+)\n```\n\n```text\n([\s\S]*?)^```$/gm),
].map(([, command = "", output = ""]) => ({ command, output }));

/** A line of the page that stands for lines that it leaves out. */
const OMITTED = "…";

/** Whether an output is what the page shows of it, apart from empty lines at its end. */
function expectShown(printed: string, output: string): void {
  const parts = output.trimEnd().split(new RegExp(`^${OMITTED}$`, "m"));
  const escaped = parts.map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  expect(printed.trim()).toMatch(new RegExp(`^${escaped.join("[^]*")}$`));
}

describe("bring your data", () => {
  const folder = project({ ...files, "model.json": MODEL });

  it("has every example in a block that is tested, each name once", () => {
    expect(shown.length).toBeGreaterThan(20);
    expect(Object.keys(files)).toHaveLength(shown.length);
    expect(commands).toHaveLength(PAGE.match(/^```sh$/gm)?.length ?? 0);
    expect(PAGE.match(/^```(?:json|skrull|csv|jinja)$/m)).toBeNull();
    const used = [PAGE.replaceAll(/file=\S+/g, ""), ...Object.values(files)].join("\n");
    for (const [name] of shown) expect(used).toContain(name);
  });

  it("shows formatted data blocks", () => {
    expect(skrull(["fmt", ".", "--diff"], { cwd: folder })).toMatchObject({
      status: 0,
      stdout: "",
    });
  });

  it.each(commands)("prints what it shows: $command", ({ command, output }) => {
    const run = skrull(command.split(" "), { cwd: folder });
    expectShown(run.stdout + run.stderr, output);
  });
});
