import { minimatch } from "minimatch";
import { relative } from "pathe";
import type { Severity } from "../diagnostics/catalogue.js";

/** What a project decides about lint: one `skrull.config.yaml`, or several put together. */
export interface Configuration {
  /** By rule; those that are not here are as the catalogue has them. */
  readonly rules: ReadonlyMap<string, RuleSetting>;
  /** Files that a folder's lint leaves out. */
  readonly exclude: readonly Exclusion[];
}

export interface RuleSetting {
  readonly level?: Severity | "off" | undefined;
  readonly options: Readonly<Record<string, number>>;
}

export interface Exclusion {
  /** A glob pattern, relative to `folder`. */
  readonly pattern: string;
  /** Absolute; of the configuration's file. */
  readonly folder: string;
}

/** Without a file. */
export const DEFAULT_CONFIGURATION: Configuration = { rules: new Map(), exclude: [] };

/** An outer folder's configuration and over it a nearer one's: levels and options one by one, exclusions of both. */
export function withNearer(outer: Configuration, nearer: Configuration): Configuration {
  return {
    rules: withSettings(outer.rules, nearer.rules),
    exclude: [...outer.exclude, ...nearer.exclude],
  };
}

/** Settings of rules and others over them, levels and options one by one. */
export function withSettings(
  below: Configuration["rules"],
  above: Configuration["rules"],
): Configuration["rules"] {
  const rules = new Map(below);
  for (const [code, { level, options }] of above) {
    const before = rules.get(code);
    const merged = { ...before?.options, ...options };
    rules.set(code, { level: level ?? before?.level, options: merged });
  }
  return rules;
}

/** Whether an exclusion leaves out a file. @param path absolute */
export const leavesOut = ({ pattern, folder }: Exclusion, path: string): boolean =>
  minimatch(relative(folder, path), pattern, { nocomment: true, nonegate: true });
