import { countOf } from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import type { DataFile } from "../lengths/measure.js";
import type { FileMeasurement, UnreadKey } from "../lengths/measurement.js";
import type { SpecReport } from "../semantics/report.js";

/** Names that one message lists. */
const NAMES_SHOWN = 8;

/** Characters of a text from the data that a message quotes. */
const QUOTED = 60;

interface MeasuredData {
  readonly files: readonly DataFile[];
  readonly measured: readonly FileMeasurement[];
}

type Reporting = Pick<SpecReport, "at">;

/** Reports columns and keys that nothing reads: an error for each that carries meaning, one remark for the rest. */
export function reportUnread({ measured }: MeasuredData, place: string, report: Reporting): void {
  const keys = joined(measured.flatMap(({ unread }) => unread)).filter((key) => !key.harmless);
  for (const key of keys.filter(({ meaning }) => meaning)) {
    const { count, first: line, example } = key;
    const values = { name: described(key), count, line, example: quotedText(example) };
    const help = isRole(key)
      ? `Say what it stands for: data { roles = names { ${key.name.slice(ROLE.length)} = "user" } }, say, or "assistant".`
      : `Name its column with data { columns = names { ... } }, convert the data, choose a template that writes it, or ignore it on purpose: ${ignoring([key])}`;
    report.at("meaning-unread", place, values, { help });
  }
  const rest = keys.filter(({ meaning }) => !meaning);
  if (rest.length === 0) return;
  const shown = rest.slice(0, NAMES_SHOWN);
  const more = rest.length > shown.length ? [`${rest.length - shown.length} more`] : [];
  const names = shown.map((key) => `${described(key)} (${countOf(key.count, "row")})`);
  const help = `If that is intended: ${ignoring(shown)}`;
  report.at("keys-unread", place, { names: [...names, ...more].join(", ") }, { help });
}

const ignoring = (keys: readonly UnreadKey[]): string =>
  `data { ignore = [${keys.map(({ name }) => JSON.stringify(name)).join(", ")}] }`;

/** The same key of several files counts once. */
function joined(keys: readonly UnreadKey[]): readonly UnreadKey[] {
  const found = new Map<string, UnreadKey>();
  for (const key of keys) {
    const id = `${key.where} ${key.name}`;
    const before = found.get(id);
    found.set(id, before ? { ...before, count: before.count + key.count } : key);
  }
  return [...found.values()];
}

/** What a finding about who speaks begins with. */
const ROLE = "role ";

const isRole = ({ name }: UnreadKey): boolean => name.startsWith(ROLE);

const WHERE: Readonly<Record<UnreadKey["where"], string>> = {
  row: "the column",
  message: "the message key",
  tool_call: "the tool call key",
};

/** A key, as messages name it. */
export const described = (key: UnreadKey): string =>
  isRole(key)
    ? `the role "${printable(key.name.slice(ROLE.length))}"`
    : `${WHERE[key.where]} "${printable(key.name)}"`;

const quotedText = (text: string): string => {
  const shown = printable(text);
  return shown.length > QUOTED ? `${shown.slice(0, QUOTED)}…` : shown;
};

/** Reports samples with special tokens' texts in their contents. */
export function reportMarkers({ measured }: MeasuredData, place: string, report: Reporting): void {
  const count = measured.reduce((sum, { marked }) => sum + marked, 0);
  if (count > 0) report.at("markers-in-contents", place, { count });
}

/** Reports that the chosen template is not the one that the model is served with. */
export function reportDifference({ files, measured }: MeasuredData, report: Reporting): void {
  for (const [n, { difference }] of measured.entries()) {
    if (!difference) continue;
    const { line, chosen, own } = difference;
    report.at("template-differs", "data.template", {
      line: `${files[n]?.name}:${line}`,
      chosen: JSON.stringify(chosen),
      own: JSON.stringify(own),
    });
    return;
  }
}
