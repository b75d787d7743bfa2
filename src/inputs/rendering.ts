import { templateByName } from "../catalogue/names.js";
import { readTemplateText } from "../catalogue/read-template.js";
import { type ChatTemplate, usesEnd, withEnd } from "../catalogue/template.js";
import type { Spec } from "../language/language.js";
import { isConversation } from "../lengths/format.js";
import type { LoadedTokenizer } from "../lengths/load-tokenizer.js";
import type { Rendering } from "../lengths/render.js";
import type { SpecReport } from "../semantics/report.js";

/** What the `data` block says of it. */
export type RenderingSettings = Pick<
  Spec["data"],
  "format" | "template" | "begin_token" | "end_token"
>;

type Reporting = Pick<SpecReport, "at">;

/**
 * How the samples of a spec become text; `undefined` after reporting why that cannot be said.
 *
 * @param own text of the spec's own template file, if it names one
 */
export function renderingOf(
  data: RenderingSettings,
  own: string | undefined,
  loaded: LoadedTokenizer,
  report: Reporting,
): Rendering | undefined {
  const { format, begin_token: begin = "" } = data;
  const end = data.end_token ?? loaded.tokenizer.end;
  if (!isConversation(format)) {
    if (end === undefined) {
      report.at("no-end-token", "data.format", {});
      return undefined;
    }
    if (end !== "") reportSplit([end], loaded, report, "data.end_token");
    return { format, template: null, begin, end };
  }
  const template = templateOf(data, own, report);
  if (!template) return undefined;
  if (end === undefined && usesEnd(template)) {
    report.at("no-end-token", "data.template", {});
    return undefined;
  }
  const filled = withEnd(template, end ?? "");
  reportSplit(
    filled.roles["assistant"]?.end ?? filled.roles["*"]?.end ?? [],
    loaded,
    report,
    "data.template",
  );
  return { format, template: filled, begin: "", end: "" };
}

function templateOf(
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
function reportSplit(
  ends: readonly string[],
  { tokenizer, files }: LoadedTokenizer,
  report: Reporting,
  place: string,
): void {
  if (Object.keys(files).length === 0) return;
  for (const token of ends) {
    const count = tokenizer.encode(token).length;
    if (count > 1) report.at("end-token-split", place, { token: JSON.stringify(token), count });
  }
}
