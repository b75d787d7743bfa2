import { resolve } from "pathe";
import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import { type Diagnostic, diagnostic, hasErrors, type Values } from "../diagnostics/diagnostic.js";
import { printable } from "../foundation/printable.js";
import { FILE_START } from "../foundation/text.js";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { formatOf } from "../inputs/recognise.js";
import { type RenderingSettings, renderingOf } from "../inputs/rendering.js";
import { LANGUAGE } from "../language/language.js";
import type { LoadedTokenizer } from "../lengths/load-tokenizer.js";
import type { Rendering } from "../lengths/render.js";
import type { Terminal } from "./terminal.js";

/** How samples become text, as the command line says it. */
export interface RenderingOptions {
  readonly dataFormat: RenderingSettings["format"]["type"];
  /** `key=name`, of columns that have other names. */
  readonly column: readonly string[];
  readonly template: string;
  readonly beginToken?: string;
  readonly endToken?: string;
}

/** @throws HostError where the options make no sense */
export function renderingFromOptions(
  host: Host,
  terminal: Terminal,
  options: RenderingOptions,
  tokenizer: LoadedTokenizer,
): Rendering {
  const { template } = options;
  const named = template !== "file" && Object.hasOwn(TEMPLATES, template);
  const own = named ? undefined : readText(host, resolve(host.workingFolder, template));
  const settings = {
    format: formatFrom(options),
    template: named ? { type: template } : { type: "file", path: template },
    begin_token: options.beginToken,
    end_token: options.endToken,
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

const { format: FORMAT, template: TEMPLATE } = LANGUAGE.data.properties;
const TEMPLATES = TEMPLATE.type.variants;

function formatFrom({ dataFormat, column }: RenderingOptions): RenderingSettings["format"] {
  const known = Object.keys(FORMAT.type.variants[dataFormat]);
  const columns: Record<string, string> = {};
  for (const choice of column) {
    const [key = "", ...name] = choice.split("=");
    if (!known.includes(key) || name.length === 0) {
      const keys = known.join(", ");
      throw new HostError(`--column ${choice}`, `is not KEY=NAME with a key of ${keys}`);
    }
    columns[key] = name.join("=");
  }
  return formatOf({ format: dataFormat, columns });
}
