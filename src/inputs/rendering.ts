import { templateByName } from "../catalogue/names.js";
import { readTemplateText } from "../catalogue/read-template.js";
import { type ChatTemplate, usesEnd, withEnd } from "../catalogue/template.js";
import { RENDERING_DEFAULTS } from "../foundation/records.generated.js";
import type { Spec } from "../language/language.js";
import type { RenderingFacts } from "../lengths/measurement.js";
import type { Rendering, TemplateSource } from "../lengths/rendering.js";
import type { TokenizerFacts } from "../lengths/tokenizer.js";
import type { SpecReport } from "../semantics/report.js";

/** What the `data` block says of it. */
export type RenderingSettings = Pick<
  Spec["data"],
  | "format"
  | "columns"
  | "roles"
  | "ignore"
  | "template"
  | "begin_token"
  | "end_token"
  | "markers"
  | "train_newline"
  | "rewritten"
>;

type Reporting = Pick<SpecReport, "at">;

/** Layouts that are texts, which need an end. */
const TEXTS = ["text", "prompt-completion"];

/**
 * How the samples of a spec become text; `undefined` after reporting why that cannot be said.
 *
 * @param own text of the spec's own template file, if it names one
 */
export function renderingOf(
  data: RenderingSettings,
  own: string | undefined,
  tokenizer: TokenizerFacts,
  report: Reporting,
): Rendering | undefined {
  const { format, columns, roles, ignore, markers, train_newline, rewritten } = data;
  const end = data.end_token ?? tokenizer.end;
  if (TEXTS.includes(format.type) && end === undefined) {
    report.at("no-end-token", "data.format", {});
    return undefined;
  }
  const template = sourceOf(data, own, end, report);
  if (!template) return undefined;
  return {
    format,
    columns: present(columns.others),
    roles: present(roles.others),
    ignore,
    template,
    arguments: "others" in data.template ? present(data.template.others) : {},
    date: "date" in data.template ? data.template.date : RENDERING_DEFAULTS.date,
    begin: data.begin_token ?? null,
    end: data.end_token ?? null,
    markers,
    train_newline,
    rewritten,
  };
}

function present<Value>(
  entries: Readonly<Record<string, Value | undefined>>,
): Readonly<Record<string, Value>> {
  const found = Object.entries(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as Record<string, Value>;
}

function sourceOf(
  data: RenderingSettings,
  own: string | undefined,
  end: string | undefined,
  report: Reporting,
): TemplateSource | undefined {
  const { template } = data;
  if (template.type === "auto") return { type: "auto" };
  if (template.type === "jinja") return { type: "jinja", text: own ?? "" };
  const declared = declaredTemplate(data, own, report);
  if (!declared) return undefined;
  if (end === undefined && usesEnd(declared)) {
    report.at("no-end-token", "data.template", {});
    return undefined;
  }
  return { type: "declared", ...withEnd(declared, end ?? "") };
}

function declaredTemplate(
  { template }: RenderingSettings,
  own: string | undefined,
  report: Reporting,
): ChatTemplate | undefined {
  if (template.type !== "file") return templateByName(template.type);
  const read = readTemplateText(own ?? "");
  if (read.ok) return read.template;
  for (const problem of read.problems)
    report.at("invalid-template", "data.template.path", { file: template.path, problem });
  return undefined;
}

/** The built-in tokenizer, which has no files, is for trials: nobody generates with it. */
export function reportSplitEnds(
  { ends }: RenderingFacts,
  { files }: TokenizerFacts,
  report: Reporting,
): void {
  if (Object.keys(files).length === 0) return;
  for (const [text, count] of ends) {
    const values = { token: JSON.stringify(text), count };
    if (count > 1) report.at("end-token-split", "data.template", values);
  }
}
