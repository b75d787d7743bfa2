import { join, relative } from "pathe";
import { type Diagnostic, diagnostic } from "../diagnostics/diagnostic.js";
import { decodeUtf8 } from "../foundation/encoding.js";
import { FILE_START, LineMap } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import { CONFIGURATION_NAME, type ProjectFolder, projectFolder } from "../inputs/project-folder.js";
import { type Configuration, DEFAULT_CONFIGURATION, withNearer } from "./configuration.js";

/** One file of a project's configuration. */
export interface ConfigurationLayer {
  readonly file: string;
  /** For code frames. */
  readonly text: string;
  /** What it decides; nothing where it is wrong. */
  readonly configuration: Configuration;
  readonly diagnostics: readonly Diagnostic[];
}

export interface LoadedConfiguration {
  /** Of all layers put together. */
  readonly configuration: Configuration;
  /** The outermost first; a nearer one comes before it. */
  readonly layers: readonly ConfigurationLayer[];
  readonly project: ProjectFolder;
}

/** The other ending of the same. */
const MISNAMED = CONFIGURATION_NAME.replace(/yaml$/, "yml");

/** Puts together the configurations of a folder's project from its top down, and reads each file once. */
export class ConfigurationLoader {
  readonly #byFolder = new Map<string, Promise<LoadedConfiguration>>();
  readonly #layers = new Map<string, Promise<ConfigurationLayer | undefined>>();

  constructor(private readonly host: Host) {}

  /** @param folder absolute. @throws HostError where a file is there and cannot be read */
  of(folder: string): Promise<LoadedConfiguration> {
    const known = this.#byFolder.get(folder);
    if (known) return known;
    const loaded = this.#load(folder);
    this.#byFolder.set(folder, loaded);
    return loaded;
  }

  async #load(folder: string): Promise<LoadedConfiguration> {
    const project = projectFolder(this.host, folder);
    const layers: ConfigurationLayer[] = [];
    for (const one of project.below) {
      const layer = await this.#layer(one);
      if (layer) layers.push(layer);
    }
    const configuration = layers.reduce(
      (outer, layer) => withNearer(outer, layer.configuration),
      DEFAULT_CONFIGURATION,
    );
    return { configuration, layers, project };
  }

  #layer(folder: string): Promise<ConfigurationLayer | undefined> {
    const known = this.#layers.get(folder);
    if (known) return known;
    const layer = this.#read(folder);
    this.#layers.set(folder, layer);
    return layer;
  }

  /** What checks a configuration is loaded only where there is one. */
  async #read(folder: string): Promise<ConfigurationLayer | undefined> {
    const path = join(folder, CONFIGURATION_NAME);
    if (this.host.status(path)?.kind !== "file") return this.#misnamed(join(folder, MISNAMED));
    const file = relative(this.host.workingFolder, path);
    const { text, problem } = decodeUtf8(this.host.readBytes(path));
    if (problem) {
      const range = new LineMap(text).range(problem.offset, problem.offset + 1);
      const found = diagnostic("wrong-encoding", { problem: problem.what }, { file, range });
      return { file, text, configuration: DEFAULT_CONFIGURATION, diagnostics: [found] };
    }
    const { readConfiguration } = await import("./read-configuration.js");
    return { file, text, ...readConfiguration(file, text, folder) };
  }

  #misnamed(path: string): ConfigurationLayer | undefined {
    if (this.host.status(path)?.kind !== "file") return undefined;
    const file = relative(this.host.workingFolder, path);
    const problem = `${MISNAMED} is not read: the configuration is named ${CONFIGURATION_NAME}`;
    const help = `Rename it to ${CONFIGURATION_NAME}.`;
    const found = diagnostic("invalid-config", { problem }, { file, range: FILE_START }, { help });
    const { text } = decodeUtf8(this.host.readBytes(path));
    return { file, text, configuration: DEFAULT_CONFIGURATION, diagnostics: [found] };
  }
}
