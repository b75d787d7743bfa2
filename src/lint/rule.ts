import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import { type Diagnostic, diagnostic, type Extra, type Values } from "../diagnostics/diagnostic.js";
import { LineMap } from "../foundation/text.js";
import type { Level } from "./level.js";
import type { LintSubject, Source, SubjectWith } from "./subject.js";

/** A number of a rule that users may set. */
export interface Option {
  readonly doc: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** Where a rule reports what it found; the diagnostic's code is the rule's. */
export interface RuleReport<Code extends DiagnosticCode> {
  /** @param path of the value at fault, such as `memory.budget` */
  at(path: string, values: Values<Code>, extra?: Extra): void;
  /** @param start offset into the document's text @param end offset, exclusive */
  span(document: Source, start: number, end: number, values: Values<Code>, extra?: Extra): void;
}

/** What can be said of any rule. */
interface Traits {
  /** It says of a value that it does nothing: one run in which it does is enough for it to stand there. */
  readonly ofEveryRun?: true;
  /** `plan` and `compile` report more, so that a suppression which lint has no use for may be needed. */
  readonly stricterInPlans?: true;
}

interface Definition<Code extends DiagnosticCode, Needs extends Level, Name extends string>
  extends Traits {
  /** Of its diagnostics, and the name under which users configure and suppress it. */
  readonly code: Code;
  readonly needs: Needs;
  readonly options?: Readonly<Record<Name, Option>>;
  check(
    subject: SubjectWith<Needs>,
    report: RuleReport<Code>,
    options: Readonly<Record<Name, number>>,
  ): void;
}

/** A check of a sound spec for what is legal and yet most likely not meant. */
export interface Rule extends Traits {
  readonly code: DiagnosticCode;
  readonly needs: Level;
  readonly options: Readonly<Record<string, Option>>;
  run(subject: LintSubject, options: Readonly<Record<string, number>>): readonly Diagnostic[];
}

/** Declares a rule; one in every file of `rules/`, whose index is generated. */
export function defineRule<
  Code extends DiagnosticCode,
  Needs extends Level,
  Name extends string = never,
>(definition: Definition<Code, Needs, Name>): Rule {
  const { check, options = {}, ...declared } = definition;
  return {
    ...declared,
    options,
    run: (subject, values) => {
      const found: Diagnostic[] = [];
      // The engine runs a rule only on a subject of its level.
      check(subject as SubjectWith<Needs>, reportOf(definition.code, subject, found), {
        ...defaults(options),
        ...values,
      } as Readonly<Record<Name, number>>);
      return found;
    },
  };
}

const defaults = (options: Readonly<Record<string, Option>>) =>
  Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]));

function reportOf<Code extends DiagnosticCode>(
  code: Code,
  { origins }: LintSubject,
  found: Diagnostic[],
): RuleReport<Code> {
  const lineMaps = new Map<string, LineMap>();
  return {
    at: (path, values, extra = {}) => {
      if (!origins) throw new Error(`'${code}' needs a spec to report at one of its values`);
      found.push(diagnostic(code, values, origins.place(path), extra));
    },
    span: ({ file, text }, start, end, values, extra = {}) => {
      const lines = lineMaps.get(file) ?? new LineMap(text);
      lineMaps.set(file, lines);
      const range = lines.range(start, end);
      found.push(diagnostic(code, values, { file, range }, extra));
    },
  };
}
