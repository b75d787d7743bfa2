import { Ajv, type ErrorObject } from "ajv";
import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { RetiredCode } from "../diagnostics/catalogue/retired.js";
import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import {
  type Diagnostic,
  diagnostic,
  type Extra,
  hasErrors,
  sortDiagnostics,
  type Values,
} from "../diagnostics/diagnostic.js";
import { retiredCode, retiredDiagnostic } from "../diagnostics/retired.js";
import { renaming, suggestion } from "../diagnostics/suggestion.js";
import { FILE_START, LineMap, type Range } from "../foundation/text.js";
import { marksRoot } from "../inputs/project-folder.js";
import {
  type Configuration,
  DEFAULT_CONFIGURATION,
  type RuleSetting,
  withSettings,
} from "./configuration.js";
import { CONFIGURATION_SCHEMA } from "./configuration-schema.js";

/** The shape that the schema lets through. */
interface ConfigurationFile {
  readonly root?: boolean;
  readonly lint?: {
    readonly rules?: RulesFile | null;
    readonly exclude?: readonly string[] | null;
  } | null;
}

/** `null` only under a dropped rule, where anything may stand. */
type RulesFile = Readonly<Record<string, Level | SettingFile | null>>;
type Level = NonNullable<RuleSetting["level"]>;
type SettingFile = { readonly level?: Level } & Readonly<Record<string, number | Level>>;

/**
 * Reads a configuration's text; where it is wrong, diagnostics say so and lint goes on as without it.
 *
 * @param folder absolute, of the file
 */
export function readConfiguration(
  file: string,
  text: string,
  folder: string,
): { readonly configuration: Configuration; readonly diagnostics: readonly Diagnostic[] } {
  const reader = new ConfigurationReader(file, text);
  const content = reader.read();
  const { diagnostics } = reader;
  if (hasErrors(diagnostics))
    return { configuration: DEFAULT_CONFIGURATION, diagnostics: sortDiagnostics(diagnostics) };
  const { rules, exclude } = content.lint ?? {};
  const exclusions = (exclude ?? []).map((pattern) => ({ pattern, folder }));
  const configuration = { rules: settingsOf(rules ?? {}), exclude: exclusions };
  return { configuration, diagnostics: sortDiagnostics(diagnostics) };
}

/** By rule. What stands under a rule's own name goes before what stands under earlier ones. */
function settingsOf(rules: RulesFile): ReadonlyMap<string, RuleSetting> {
  const written = Object.entries(rules).map(
    ([name, value]) => [name, settingOf(value), retiredCode(name)] as const,
  );
  const earlier = written.flatMap(([, setting, retired]) =>
    retired?.successor === undefined
      ? []
      : [[retired.successor, renamed(setting, retired)] as const],
  );
  const own = written.flatMap(([name, setting, retired]) =>
    retired ? [] : [[name, setting] as const],
  );
  return [...earlier, ...own].reduce<ReadonlyMap<string, RuleSetting>>(
    (settings, one) => withSettings(settings, new Map([one])),
    new Map(),
  );
}

/** The options of a retired code, by the names that they have now. Its level was not meant for all of its successor. */
function renamed({ options }: RuleSetting, { options: names = {} }: RetiredCode): RuleSetting {
  const now = Object.entries(options).map(([name, value]) => [names[name] ?? name, value] as const);
  return { options: Object.fromEntries(now) };
}

function settingOf(value: Level | SettingFile | null): RuleSetting {
  if (typeof value === "string") return { level: value, options: {} };
  const { level, ...options } = value ?? {};
  return { level, options: options as Readonly<Record<string, number>> };
}

class ConfigurationReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #lines: LineMap;
  readonly #document;

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {
    this.#lines = new LineMap(text);
    this.#document = parseDocument(text, {
      lineCounter: new LineCounter(),
      prettyErrors: false,
      logLevel: "error",
    });
  }

  read(): ConfigurationFile {
    for (const { pos, message } of [...this.#document.errors, ...this.#document.warnings]) {
      this.#add("invalid-config", this.#lines.range(pos[0], pos[1]), {
        problem: `is not YAML: ${message}`,
      });
    }
    if (this.diagnostics.length > 0) return {};
    let content: unknown;
    try {
      content = this.#document.toJS() ?? {};
    } catch (error) {
      // An alias of nothing, or one that would be expanded without end.
      if (!(error instanceof ReferenceError)) throw error;
      this.#add("invalid-config", FILE_START, { problem: `is not YAML: ${error.message}` });
      return {};
    }
    const validate = new Ajv({ allErrors: true, verbose: true }).compile(CONFIGURATION_SCHEMA);
    if (!validate(content)) for (const error of tellingErrors(validate.errors)) this.#tell(error);
    const read = content as ConfigurationFile;
    if (this.diagnostics.length === 0 && read.root === true && !marksRoot(this.text)) {
      const problem = "'root' must be written as a line of its own, root: true";
      this.#add("invalid-config", this.#rangeOf(["root"]), { problem });
    }
    if (this.diagnostics.length === 0) this.#tellRetired(read);
    return read;
  }

  #tellRetired({ lint }: ConfigurationFile): void {
    for (const [name, setting] of Object.entries(lint?.rules ?? {})) {
      const retired = retiredCode(name);
      if (!retired) continue;
      const range = this.#rangeOfKey(["lint", "rules"], name);
      const { successor } = retired;
      // Options have other names now, and a key cannot come twice.
      const renames = typeof setting === "string" && !lint?.rules?.[successor ?? ""];
      const fix = renames && successor !== undefined ? renaming(range, successor) : undefined;
      const use = settingOf(setting).level === undefined ? "options" : "level";
      const place = { file: this.file, range };
      this.diagnostics.push(retiredDiagnostic(name, retired, place, use, fix));
    }
  }

  #tell(error: ErrorObject): void {
    const path = error.instancePath.split("/").slice(1).map(unescapePointer);
    const { additionalProperty: key } = error.params as { additionalProperty?: string };
    if (key === undefined) {
      const name = path.at(-1) ?? "the file";
      const problem = `'${name}' ${problemOf(error)}`;
      this.#add("invalid-config", this.#rangeOf(path), { problem });
      return;
    }
    const properties = Object.keys(
      (error.parentSchema?.["properties"] as object | undefined) ?? {},
    );
    const known = properties.filter((name) => !retiredCode(name));
    const range = this.#rangeOfKey(path, key);
    const isRule = path.join(".") === "lint.rules";
    const all = isRule ? "skrull explain lists all codes." : `Known: ${known.join(", ")}.`;
    const extra = suggestion(key, known, all, (near) => renaming(range, near));
    if (isRule) this.#add("unknown-rule", range, { name: key }, extra);
    else
      this.#add(
        "invalid-config",
        range,
        { problem: `there is no key '${key}' in ${ownerOf(path)}` },
        extra,
      );
  }

  #rangeOf(path: readonly string[]): Range {
    const node = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    return this.#rangeOfNode(node as Node | null | undefined);
  }

  #rangeOfKey(path: readonly string[], key: string): Range {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    const pairs = isMap(map) ? map.items : [];
    const pair = pairs.find((item) => isScalar(item.key) && String(item.key.value) === key);
    return this.#rangeOfNode(pair?.key as Node | undefined);
  }

  #rangeOfNode(node: Node | null | undefined): Range {
    const [start, end] = node?.range ?? [0, 0];
    return this.#lines.range(start, end);
  }

  #add<Code extends DiagnosticCode>(
    code: Code,
    range: Range,
    values: Values<Code>,
    extra: Extra = {},
  ): void {
    this.diagnostics.push(diagnostic(code, values, { file: this.file, range }, extra));
  }
}

const ownerOf = (path: readonly string[]) => (path.length === 0 ? "the file" : `'${path.at(-1)}'`);

const unescapePointer = (part: string) => part.replaceAll("~1", "/").replaceAll("~0", "~");

/** A rule's value is a level or an object: of what each of the two would need, only what fits what was written. */
function tellingErrors(errors: readonly ErrorObject[] | null | undefined): readonly ErrorObject[] {
  return (errors ?? []).filter(({ keyword, params, schemaPath, data }) => {
    if (keyword === "if") return false;
    if (keyword !== "anyOf" && !schemaPath.includes("/anyOf/")) return true;
    const isObject = typeof data === "object" && data !== null;
    if (keyword === "enum" && schemaPath.includes("/anyOf/0/")) return !isObject;
    const typeOfObject = (params as { type?: unknown }).type === "object";
    return keyword !== "anyOf" && !typeOfObject;
  });
}

function problemOf({ keyword, params, message }: ErrorObject): string {
  if (keyword === "enum") {
    return `must be one of ${(params as { allowedValues: string[] }).allowedValues.join(", ")}`;
  }
  if (keyword === "type")
    return `must be ${[(params as { type: string | string[] }).type].flat()[0]}`;
  return message ?? "is not what it should be";
}
