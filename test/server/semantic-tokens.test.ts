import { beforeAll, expect, it } from "vitest";
import type { SemanticTokens } from "vscode-languageserver-protocol";
import { files } from "../cli/run.js";
import { type Client, startClient } from "./client.js";

let client: Client;
let opened = 0;
beforeAll(async () => {
  client = await startClient(files());
});

/** Every coloured piece of a text with its type. */
async function colours(client: Client, text: string): Promise<readonly string[]> {
  opened += 1;
  const name = `text${opened}.skrull`;
  await client.open(name, text);
  const textDocument = { uri: client.uri(name) };
  const { data } = await client.request<SemanticTokens>("textDocument/semanticTokens/full", {
    textDocument,
  });
  const { semanticTokensProvider } = client.initialized?.capabilities ?? {};
  const { legend } = semanticTokensProvider as { legend: { tokenTypes: string[] } };
  const lines = text.split("\n");
  let [line, character] = [0, 0];
  const found: string[] = [];
  for (let n = 0; n < data.length; n += 5) {
    const [down = 0, right = 0, length = 0, type = 0, modifiers = 0] = data.slice(n, n + 5);
    character = down === 0 ? character + right : right;
    line += down;
    const piece = lines[line]?.slice(character, character + length);
    found.push(`${piece}: ${legend.tokenTypes[type]}${modifiers ? " declaration" : ""}`);
  }
  return found;
}

it("tells keywords, keys, words, units and the rest apart", async () => {
  const text = `skrull 1 # top
model "Qwen/Qwen2.5-0.5B" { precision = bf16 }
memory { budget = 76 GiB }
cluster { network = 400 Gbit/s nodes = 4 gpus = 8 }
train { optimizer = adamw { lr = 1e-5 } }
`;
  expect(await colours(client, text)).toEqual([
    ...["skrull: keyword", "1: number", "# top: comment"],
    ...["model: keyword", '"Qwen/Qwen2.5-0.5B": string', "precision: property"],
    ...["bf16: enumMember", "memory: keyword", "budget: property", "76: number", "GiB: unit"],
    ...["cluster: keyword", "network: property", "400: number", "Gbit/s: unit"],
    ...["nodes: property", "4: number", "gpus: property", "8: number"],
    ...["train: keyword", "optimizer: property", "adamw: enumMember", "lr: property"],
    "1e-5: number",
  ]);
});

it("knows imports, constants, named blocks and runs", async () => {
  const text = `skrull 1
import "other.skrull"
let seq = 2 * (128K - 1)
cluster big { nodes = seq }
run long extends short { cluster = big }
`;
  expect((await colours(client, text)).slice(2)).toEqual([
    ...["import: keyword", '"other.skrull": string'],
    ...["let: keyword", "seq: variable declaration", "2: number", "*: operator"],
    ...["128: number", "K: unit", "-: operator", "1: number"],
    ...["cluster: keyword", "big: class declaration", "nodes: property", "seq: variable"],
    ...["run: keyword", "long: class declaration", "extends: keyword", "short: class"],
    ...["cluster: property", "big: class"],
  ]);
});
