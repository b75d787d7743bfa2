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
  const rules = new Map(outer.rules);
  for (const [code, { level, options }] of nearer.rules) {
    const before = outer.rules.get(code);
    const merged = { ...before?.options, ...options };
    rules.set(code, { level: level ?? before?.level, options: merged });
  }
  return { rules, exclude: [...outer.exclude, ...nearer.exclude] };
}

/** Whether an exclusion leaves out a file. @param path absolute */
export const leavesOut = ({ pattern, folder }: Exclusion, path: string): boolean =>
  minimatch(relative(folder, path), pattern, { nocomment: true, nonegate: true });
