import type { Severity } from "../diagnostics/catalogue.js";

/** What a project decides about lint: `skrull.config.yaml`. */
export interface Configuration {
  /** By rule; those that are not here are as the catalogue has them. */
  readonly rules: ReadonlyMap<string, RuleSetting>;
  /** Glob patterns of files that a folder's lint leaves out, relative to `folder`. */
  readonly exclude: readonly string[];
  /** Absolute; of the configuration's file. */
  readonly folder: string;
}

export interface RuleSetting {
  readonly level?: Severity | "off" | undefined;
  readonly options: Readonly<Record<string, number>>;
}

/** Without a file. */
export const DEFAULT_CONFIGURATION: Configuration = { rules: new Map(), exclude: [], folder: "/" };

export const CONFIGURATION_NAME = "skrull.config.yaml";
