import { dirname, join, relative } from "pathe";
import { type Diagnostic, diagnostic } from "../diagnostics/diagnostic.js";
import { decodeUtf8 } from "../foundation/encoding.js";
import { FILE_START, LineMap } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import { CONFIGURATION_NAME, type Configuration, DEFAULT_CONFIGURATION } from "./configuration.js";

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** Of the configuration's file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Of the file, for code frames; absent without one. */
  readonly source?: { readonly file: string; readonly text: string };
}

/** The other ending of the same. */
const MISNAMED = CONFIGURATION_NAME.replace(/yaml$/, "yml");

/** Finds the configuration of a folder in it or above it, and reads each file once. */
export class ConfigurationLoader {
  readonly #byFolder = new Map<string, Promise<LoadedConfiguration>>();

  constructor(private readonly host: Host) {}

  /** @param folder absolute. @throws HostError where the file is there and cannot be read */
  of(folder: string): Promise<LoadedConfiguration> {
    const known = this.#byFolder.get(folder);
    if (known) return known;
    const loaded = this.#load(folder);
    this.#byFolder.set(folder, loaded);
    return loaded;
  }

  async #load(folder: string): Promise<LoadedConfiguration> {
    const path = join(folder, CONFIGURATION_NAME);
    if (this.host.status(path)?.kind === "file") return this.#read(path);
    const misnamed = join(folder, MISNAMED);
    if (this.host.status(misnamed)?.kind === "file") return this.#misnamed(misnamed);
    const parent = dirname(folder);
    if (parent === folder) return { configuration: DEFAULT_CONFIGURATION, diagnostics: [] };
    return this.of(parent);
  }

  #misnamed(path: string): LoadedConfiguration {
    const file = relative(this.host.workingFolder, path);
    const problem = `${MISNAMED} is not read: the configuration is named ${CONFIGURATION_NAME}`;
    const help = `Rename it to ${CONFIGURATION_NAME}.`;
    const found = diagnostic("invalid-config", { problem }, { file, range: FILE_START }, { help });
    const { text } = decodeUtf8(this.host.readBytes(path));
    const source = { file, text };
    return { configuration: DEFAULT_CONFIGURATION, diagnostics: [found], source };
  }

  /** What checks a configuration is loaded only where there is one. */
  async #read(path: string): Promise<LoadedConfiguration> {
    const file = relative(this.host.workingFolder, path);
    const { text, problem } = decodeUtf8(this.host.readBytes(path));
    const source = { file, text };
    if (problem) {
      const range = new LineMap(text).range(problem.offset, problem.offset + 1);
      const found = diagnostic("wrong-encoding", { problem: problem.what }, { file, range });
      return { configuration: DEFAULT_CONFIGURATION, diagnostics: [found], source };
    }
    const { readConfiguration } = await import("./read-configuration.js");
    return { ...readConfiguration(file, text, dirname(path)), source };
  }
}
