import { resolve } from "pathe";
import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import { type Diagnostic, diagnostic, hasErrors, type Values } from "../diagnostics/diagnostic.js";
import { printable } from "../foundation/printable.js";
import { FILE_START } from "../foundation/text.js";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { type RenderingSettings, renderingOf } from "../inputs/rendering.js";
import { LANGUAGE } from "../language/language.js";
import { defaultOf, type Properties } from "../language/types.js";
import type { Rendering } from "../lengths/rendering.js";
import type { TokenizerFacts } from "../lengths/tokenizer.js";
import type { Terminal } from "./terminal.js";

const { format: FORMAT, template: TEMPLATE } = LANGUAGE.data.properties;
const TEMPLATES = TEMPLATE.type.variants;

/** How samples become text, as the command line says it. */
export interface RenderingOptions {
  readonly dataFormat: RenderingSettings["format"]["type"];
  /** `key=name`, of columns that have other names. */
  readonly column: readonly string[];
  /** `name=role`, of speakers that have other names. */
  readonly role: readonly string[];
  readonly ignore: readonly string[];
  /** A name, or a file: Jinja, or a declared template in YAML or JSON. */
  readonly template: string;
  /** `name=value`, of the template. */
  readonly argument: readonly string[];
  readonly beginToken?: string;
  readonly endToken?: string;
  readonly markers: RenderingSettings["markers"];
}

/** @throws HostError where the options make no sense */
export function renderingFromOptions(
  host: Host,
  terminal: Terminal,
  options: RenderingOptions,
  tokenizer: TokenizerFacts,
): Rendering {
  const { template } = options;
  const named = Object.hasOwn(TEMPLATES, template) && template !== "file" && template !== "jinja";
  const own = named ? undefined : readText(host, resolve(host.workingFolder, template));
  const { format, columns } = layoutFrom(options);
  const settings = {
    format,
    columns: { type: "names", others: columns },
    roles: { type: "names", others: pairs(options.role, "--role") },
    ignore: options.ignore,
    template: templateFrom(options, named),
    begin_token: options.beginToken,
    end_token: options.endToken,
    markers: options.markers,
    train_newline: false,
    rewritten: "split",
  } as RenderingSettings;
  const found: Diagnostic[] = [];
  const report = {
    at<Code extends DiagnosticCode>(code: Code, _: string, values: Values<Code>) {
      found.push(diagnostic(code, values, NO_PLACE));
    },
  };
  const rendering = renderingOf(settings, own, tokenizer, report);
  if (!rendering || hasErrors(found)) {
    const reason = found[0]?.message ?? "cannot be used";
    throw new HostError(named ? `--data-format ${options.dataFormat}` : template, reason);
  }
  for (const { message } of found) terminal.remark(`warning: ${printable(message)}\n`);
  return rendering;
}

/** Options have no place in a file. */
const NO_PLACE = { file: "", range: FILE_START };

const DECLARED_FILE = /\.(ya?ml|json)$/i;

function templateFrom({ template, argument }: RenderingOptions, named: boolean): object {
  const others = Object.fromEntries(
    Object.entries(pairs(argument, "--argument")).map(([name, text]) => [name, readValue(text)]),
  );
  const { date } = TEMPLATES.auto;
  const settings = { date: defaultOf(date), others };
  if (named) return template === "auto" ? { type: "auto", ...settings } : { type: template };
  if (DECLARED_FILE.test(template)) return { type: "file", path: template };
  return { type: "jinja", path: template, ...settings };
}

function readValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Columns of the layout by its keys; what it has no key for is a column of another name. */
function layoutFrom({ dataFormat, column }: RenderingOptions) {
  const keys: Properties = FORMAT.type.variants[dataFormat];
  const usual = Object.entries(keys).map(([key, property]) => [key, defaultOf(property)]);
  const chosen = pairs(column, "--column");
  const own = Object.entries(chosen).filter(([key]) => Object.hasOwn(keys, key));
  const rest = Object.entries(chosen).filter(([key]) => !Object.hasOwn(keys, key));
  return {
    format: { type: dataFormat, ...Object.fromEntries([...usual, ...own]) },
    columns: Object.fromEntries(rest),
  };
}

function pairs(choices: readonly string[], option: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const choice of choices) {
    const [key = "", ...value] = choice.split("=");
    if (key === "" || value.length === 0)
      throw new HostError(`${option} ${choice}`, "is not NAME=VALUE");
    found[key] = value.join("=");
  }
  return found;
}
