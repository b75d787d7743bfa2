import { dirname, resolve } from "pathe";
import { hasErrors } from "../diagnostics/diagnostic.js";
import type { Host } from "../host/host.js";
import { countRequest } from "../inputs/count-request.js";
import { namedFiles } from "../inputs/hub.js";
import { loadRendering } from "../inputs/load-inputs.js";
import type { Counting, DataFile, Progress } from "../lengths/measure.js";
import { analyzeFile, showDiagnostics } from "./analysis.js";
import { chooseRun } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

/** Data files, and what to count their tokens with. */
export interface LengthsTask {
  readonly files: readonly DataFile[];
  readonly counting: Counting;
  /** For reports. */
  readonly tokenizerSha256: string;
}

interface SpecLengths {
  readonly run: string | undefined;
  readonly progress: Progress;
  readonly skrullVersion: string;
}

/** The training data of a spec and how it counts tokens; `undefined` after showing what is wrong. @throws HostError */
export async function countingOfSpec(
  host: Host,
  terminal: Terminal,
  path: string,
  { run: name, progress, skrullVersion }: SpecLengths,
): Promise<LengthsTask | undefined> {
  const analysis = await analyzeFile(host, path);
  const found = [...analysis.diagnostics];
  const run = hasErrors(found) ? undefined : chooseRun(analysis, name, found);
  const folder = dirname(resolve(host.workingFolder, path));
  const loaded = run?.spec && loadRendering(host, folder, run.spec, run.origins);
  found.push(...(loaded?.diagnostics ?? []));
  terminal.remark(
    showDiagnostics(analysis.documents, found, {
      format: "pretty",
      colour: false,
      skrullVersion,
    }),
  );
  const { tokenizer, rendering } = loaded ?? {};
  if (!run?.spec || !tokenizer || !rendering || hasErrors(found)) return undefined;
  const { data } = run.spec;
  const truncateTo = data.overlong === "truncate" ? data.max_length : null;
  return {
    files: await namedFiles(host, folder, data.train, data.weights.length > 0),
    counting: {
      tokenizer: tokenizer.path,
      settings: { rendering, supervision: data.supervise, truncateTo },
      request: countRequest(host, folder, data),
      folder,
      progress,
    },
    tokenizerSha256: tokenizer.sha256,
  };
}
