import { REFUSED } from "./models.generated.js";
import { REFUSALS } from "./refusals.generated.js";

/** Keys of a `config.json` that a value other than the allowed ones is refused for; absent and null are allowed. */
interface Condition {
  /** Names from the outside in, with dots between them. */
  readonly key: string;
  /** Scalars that are allowed; `models`: any text but the names of models that `contract/models.json` refuses. */
  readonly allow?: readonly (string | number | boolean)[] | "models";
  /** Items that are allowed of a list; what is no list is refused. */
  readonly each?: readonly string[];
  /** Whether it must be a JSON object. */
  readonly object?: boolean;
  /** Whether its absence is refused, too. */
  readonly required?: boolean;
  /** Key inside of the value that says what kind it is. */
  readonly detail?: string;
}

/** A configuration that would train wrongly, or not at all: an entry of `contract/refusals.json`. */
export interface Refusal {
  readonly id: string;
  readonly when: readonly Condition[];
  /** Nothing else is looked at where it holds. */
  readonly final?: boolean;
  /** The model types that it is about; without it all. */
  readonly only?: "families";
  readonly reason: string;
  readonly help: string;
}

/** What is wrong with a configuration, and what to do, where that is known. */
export interface ConfigProblem {
  /** Of the refusal; none for a dimension that is missing or does not fit. */
  readonly id?: string;
  readonly problem: string;
  readonly help?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Decoder families whose configurations are known key by key, and so are their dimensions. */
export const MODEL_TYPES = REFUSALS.families;
export type ModelType = (typeof MODEL_TYPES)[number];

/** A configuration whose model type is no text. */
const NO_NAME = "it names no architecture";

/** Characters of a value that a message quotes. */
const SHOWN = 40;

/** Every refusal that a configuration meets; the runtime's `refusals.py` gives the same ones. */
export function refusalsOf(config: Fields): readonly ConfigProblem[] {
  const found: ConfigProblem[] = [];
  const refusals: readonly Refusal[] = REFUSALS.refusals;
  const type = config["model_type"];
  for (const { id, when, reason, help, final, only } of refusals) {
    if (only && !MODEL_TYPES.some((known) => known === type)) continue;
    const offending = when.flatMap((condition) => offence(condition, config));
    if (offending.length === 0) continue;
    found.push({
      id,
      problem: `${offending.join(", ")} cannot be trained: ${reason.replace("{why}", whyRefused(type) ?? NO_NAME)}`,
      help: help.replaceAll("{families}", MODEL_TYPES.join(", ")),
    });
    if (final) break;
  }
  return found;
}

/** Why no configuration of a model type can be trained, where that is known. */
function whyRefused(type: unknown): string | undefined {
  const reasons: Readonly<Record<string, string>> = REFUSED;
  return typeof type === "string" && Object.hasOwn(reasons, type) ? reasons[type] : undefined;
}

/** The key with its value, where that is refused. */
function offence(condition: Condition, config: Fields): readonly string[] {
  const { key, required } = condition;
  const value = valueAt(config, key);
  if (value === undefined || value === null) return required ? [`${key} (missing)`] : [];
  const wrong = refusedPart(condition, value);
  if (wrong === undefined) return [];
  return [isRecord(wrong) ? named(condition, wrong) : `${key} = ${shown(wrong)}`];
}

function valueAt(config: Fields, key: string): unknown {
  let value: unknown = config;
  for (const name of key.split("."))
    value = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

/** The value, or the item of it, that is not allowed. */
function refusedPart({ allow, each, object }: Condition, value: unknown): unknown {
  if (object) return isRecord(value) ? undefined : value;
  if (each) {
    if (!Array.isArray(value)) return value;
    return value.find((item) => !each.includes(item));
  }
  if (allow === "models") {
    const named = typeof value === "string" && value !== "" && whyRefused(value) === undefined;
    return named ? undefined : value;
  }
  const allowed: readonly unknown[] = allow ?? [];
  return allowed.includes(value) ? undefined : value;
}

function named({ key, detail }: Condition, value: Fields): string {
  const kind = detail === undefined ? undefined : value[detail];
  return typeof kind === "string" ? `${key} (${shown(kind)})` : key;
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[...]" : "{...}";
  const text = JSON.stringify(value) ?? "null";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
