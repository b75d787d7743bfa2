import type { Host } from "../host/host.js";
import { EngineError } from "./engine.js";
import { askRuntime } from "./start.js";

const START =
  "sys.argv[1:] = ['-']; from skrull_runtime.describe.__main__ import main; sys.stdout.flush(); sys.exit(main())";

/** What a model is made with. */
const NEEDED = "torch transformers deepspeed";

/**
 * What a model tells of itself, as transformers makes it of a configuration.
 *
 * @param folder of the spec: Python is looked for from there
 * @throws EngineError where there is no such model, or nothing to make it with
 */
export async function describeModel(host: Host, folder: string, config: unknown): Promise<unknown> {
  const { python, line, complaint: said } = await askRuntime(host, folder, START, config);
  if (line !== undefined) return JSON.parse(line);
  const reason = said.replace(/^error: (config\.json: )?/, "");
  const user = said.startsWith("error: ") && !said.startsWith("error: this needs ");
  if (user) throw new EngineError("user", reason);
  throw new EngineError(
    "python",
    `'${python}' cannot make the model (${reason === "" ? "it was ended" : reason})`,
    `Name a Python by SKRULL_PYTHON that has what a run needs: pip install ${NEEDED}`,
  );
}
