// docs/reference/catalogue.md: the models of the catalogue, where each was read, and what is known of it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { catalogueModels } from "./catalogue-models.mjs";
import { ROOT } from "./lib.mjs";

const INTRODUCTION = `# The models of the catalogue

Generated from \`catalogue/models\`. A spec names one of these by its name alone; any other model needs its \`config.json\`:
\`model "OWNER/NAME" { config = "config.json" }\`. Compiling a model of the catalogue for its own positions needs no Python.

Every configuration was read at the page that **source** links to, at a fixed commit where that is a repository; of a few
models it is a copy of the configuration in another repository of the hub. **Checked**
pages were compared with it: they say the same of layers, widths, heads and vocabulary. **Parameters** are those of the model
that transformers makes of the configuration, counted. **Published** is what others say, without a link the size in the
model's name, and the count is within half a unit of its last digit; where it is empty, no page was found that says more than
a round figure. **End tokens** without a link are the source's. **Positions** are those of
the configuration, and **original** those that its rotary embeddings were trained for, where they are stretched, or the ones that
the published recipe of YaRN stretches. Every model is of a family that [trains exactly](../models.md), with its kind of rotary
embeddings.

**Template** is the beginning of the SHA-256 of the chat template in a package that carries the model's tokenizer. Where it is empty, no
package is known that carries it: a run takes the template of the tokenizer that it is given.
`;

const HEAD = [
  ["model", "type", "parameters", "published", "positions", "rotary embeddings", "original"],
  ["end tokens", "template", "source", "checked", "notes"],
].flat();

/** The page, by what the built compiler says of rotary embeddings and of families. */
export function cataloguePage({ documentedOriginal, ropeSettings, isTested }) {
  const tokenizers = parse(readFileSync(join(ROOT, "catalogue/tokenizers.yaml"), "utf8"));
  /** Addresses by the labels that rows link to, as one has many rows. */
  const labels = new Map();
  const rows = catalogueModels().map((model) => row(model, tokenizerOf(model.name)));
  return [INTRODUCTION, table(rows), packages(tokenizers), addresses(labels)].join("\n");

  function row(model, tokenizer) {
    const { name, parameters, published, config, source, checked = [], end_tokens: ends } = model;
    return [
      `[${name}](https://huggingface.co/${name})`,
      `\`${config.model_type}\`${isTested(config) ? "" : " (not tested)"}`,
      parameters.toLocaleString("en-US"),
      published ? linked(figure(published.parameters), published.source) : "",
      config.max_position_embeddings.toLocaleString("en-US"),
      rotary(config),
      original(model),
      linked([config.eos_token_id].flat().join(", "), ends),
      tokenizer?.template?.slice(0, 8) ?? "",
      linked(place(source), source),
      checked.map((url) => linked(place(url), url)).join(", "),
      notes(model),
    ];
  }

  function linked(text, url) {
    if (!url?.startsWith("https://")) return text;
    if (!labels.has(url)) labels.set(url, `${labels.size + 1}`);
    return `[${text}][${labels.get(url)}]`;
  }

  function tokenizerOf(name) {
    return tokenizers.find(({ models }) => models.includes(name));
  }

  function rotary(config) {
    const own = ropeSettings(config);
    const type = own.rope_type ?? own.type ?? "default";
    const theta = own.rope_theta ?? config.rope_theta ?? config.rotary_emb_base ?? 10000;
    return `${type}${own.factor === undefined ? "" : ` ×${own.factor}`}, base ${theta.toLocaleString("en-US")}`;
  }

  function original({ config }) {
    const stated = ropeSettings(config).original_max_position_embeddings;
    const found = stated ?? config.original_max_position_embeddings ?? documentedOriginal(config);
    return (found ?? config.max_position_embeddings).toLocaleString("en-US");
  }
}

const figure = (stated) =>
  typeof stated === "number" ? stated.toLocaleString("en-US") : String(stated);

const addresses = (labels) => [...labels].map(([url, label]) => `[${label}]: ${url}\n`).join("");

/** `owner/repository` of an address. */
const place = (url) => new URL(url).pathname.split("/").slice(1, 3).join("/");

function notes({ quantised, note = "" }) {
  if (!quantised) return note;
  return `published weights are quantised (${quantised}): name others with \`path\``;
}

function table(rows) {
  const right = new Set(["parameters", "published", "positions", "original"]);
  const rule = HEAD.map((name) => (right.has(name) ? "--:" : "---"));
  return `${[HEAD, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function packages(tokenizers) {
  const lines = tokenizers.map(({ package: name, version, template, also, note, models }) =>
    [
      `- \`${name}\` ${version} (${models.length}): ${template ? `\`${template}\`` : "no template"}`,
      also ? `; another revision of it is [\`${also.template}\`](${also.source})` : "",
      note ? `; ${note}` : "",
    ].join(""),
  );
  return `## Packages with tokenizers\n\n${lines.join("\n")}\n`;
}
