import { expect, it } from "vitest";
import type { CodeAction, Diagnostic } from "vscode-languageserver-protocol";
import { files, skrull, spec } from "../cli/run.js";
import { type Client, startClient } from "./client.js";

const HIGH = spec({ train: "{ optimizer = adamw { lr = 1e-3 } clip_norm = 1000 }" });

const place = ({ code, range: { start } }: Diagnostic) => ({
  code,
  line: start.line + 1,
  column: start.character + 1,
});

/** What `skrull lint` finds, in the words of {@link place}. */
function linted(client: Client, name = "spec.skrull") {
  const { stdout } = skrull(["lint", "--format", "json", name], { cwd: client.folder });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; file: string; range: { start: object } }[];
  };
  return diagnostics.map(({ code, range: { start } }) => ({ code, ...start }));
}

/** Waits until a file is shown with exactly these codes. */
async function shows(client: Client, name: string, codes: readonly string[]) {
  const now = () => client.shown(name).at(-1)?.diagnostics ?? [];
  while (
    now()
      .map(({ code }) => code)
      .join() !== codes.join()
  )
    await client.nextPublished();
  return now();
}

it("shows what the rules of lint find, after a pause", async () => {
  const client = await startClient({ ...files(), "spec.skrull": HIGH });
  const expected = linted(client);
  expect(expected.map(({ code }) => code)).toEqual(["clip-unusual"]);
  await client.open("spec.skrull");
  expect(await client.diagnostics("spec.skrull")).toEqual([]);
  const codes = expected.map(({ code }) => code);
  const found = await shows(client, "spec.skrull", codes);
  expect(found.map(place)).toEqual(expected);
});

it("keeps them on lines that did not change, moved where lines were added above", async () => {
  const client = await startClient({ ...files(), "spec.skrull": HIGH });
  await client.open("spec.skrull");
  const codes = linted(client).map(({ code }) => code);
  const before = await shows(client, "spec.skrull", codes);
  const start = { line: 1, character: 0 };
  await client.change("spec.skrull", "# one\n# two\n", { start, end: start });
  const after = (await client.published("spec.skrull", 2)).diagnostics;
  expect(after.map(place)).toEqual(
    before.map(place).map((one) => ({ ...one, line: one.line + 2 })),
  );
  await client.change("spec.skrull", HIGH.replace("= 1000", "= 1"));
  const first = (await client.published("spec.skrull", 3)).diagnostics;
  expect(first.map(({ code }) => code)).not.toContain("clip-unusual");
});

it("obeys suppressions and the configuration, and tells what is wrong with that", async () => {
  const client = await startClient({ ...files(), "spec.skrull": HIGH });
  const codes = linted(client).map(({ code }) => code);
  const [code = ""] = codes;
  const line = HIGH.split("\n").findIndex((one) => one.startsWith("train"));
  const lines = HIGH.split("\n");
  lines.splice(line, 0, `# skrull-ignore ${code}: measured`);
  await client.open("spec.skrull", lines.join("\n"));
  await shows(
    client,
    "spec.skrull",
    codes.filter((one) => one !== code),
  );

  const bad = "colour: red\n";
  const other = await startClient({ ...files(), "skrull.config.yaml": bad });
  await other.open("spec.skrull");
  while (other.shown("skrull.config.yaml").length === 0) await other.nextPublished();
  const [found] = other.shown("skrull.config.yaml").at(-1)?.diagnostics ?? [];
  expect(found?.severity).toBe(1);
  expect(String(found?.message)).toContain("colour");
});

it("offers the fixes of rules", async () => {
  const client = await startClient({ ...files(), "spec.skrull": HIGH });
  await client.open("spec.skrull");
  const all = await shows(
    client,
    "spec.skrull",
    linted(client).map(({ code }) => code),
  );
  const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
  const actions = await client.request<CodeAction[]>("textDocument/codeAction", {
    textDocument: { uri: client.uri("spec.skrull") },
    range,
    context: { diagnostics: all },
  });
  const { stdout } = skrull(["lint", "--format", "json", "spec.skrull"], { cwd: client.folder });
  const fixes = JSON.parse(stdout).diagnostics.flatMap((one: { fix?: { title: string } }) =>
    one.fix ? [one.fix.title] : [],
  );
  expect(actions.filter(({ kind }) => kind === "quickfix").map(({ title }) => title)).toEqual(
    fixes,
  );
});
