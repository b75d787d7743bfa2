import { jsonText } from "../foundation/json.js";
import type { Host } from "../host/host.js";
import { answerProblem } from "../schedule/answer.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import type { Terminal } from "./terminal.js";

/** `skrull schedule`: one problem as JSON on stdin, its schedule or one error document on stdout. */
export function scheduleCommand(host: Host, terminal: Terminal, input: string): ExitCode {
  const json = parseJson(input);
  const started = host.now();
  const answer = json.ok
    ? answerProblem(json.value, () => host.now())
    : {
        format_version: 1,
        error: {
          code: "invalid-problem",
          message: `the input is not JSON: ${json.message}`,
          path: "",
        },
      };
  if (!("error" in answer)) {
    terminal.out(jsonText({ ...answer, scheduling_ms: host.now() - started }));
    return EXIT.clean;
  }
  terminal.out(jsonText(answer));
  return answer.error.code === "invalid-problem" ? EXIT.couldNotRun : EXIT.findings;
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}
