import {
  formatAmount,
  formatCount,
  formatDuration,
  formatSeconds,
  formatShare,
} from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import type { Host } from "../host/host.js";
import { COMPARABLE, type ComparedPolicy, comparePolicies, LONGALIGN } from "../plan/compare.js";
import type { Plan } from "../plan/plan.js";
import { withinBand } from "../plan/within-band.js";
import { type OutputFormat, refuse, withDocument } from "./document.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { bandText, fitLine, hoursName } from "./plan-answers.js";
import { planFile, type SpecRequest } from "./spec-file.js";
import { tableLines } from "./table.js";
import type { Terminal } from "./terminal.js";

export interface CompareOptions extends SpecRequest {
  readonly format: OutputFormat;
  readonly policies: readonly string[] | undefined;
}

/** `skrull compare SPEC`: the policies side by side. */
export function compareCommand(
  host: Host,
  terminal: Terminal,
  options: CompareOptions,
): Promise<ExitCode> {
  return withDocument(terminal, options.format, () => compare(host, terminal, options));
}

async function compare(
  host: Host,
  terminal: Terminal,
  { format, ...options }: CompareOptions,
): Promise<ExitCode> {
  const unknown = options.policies?.find((name) => !COMPARABLE.includes(name));
  if (unknown !== undefined) {
    const known = COMPARABLE.join(", ");
    const message = `'${printable(unknown)}' is not a policy; the policies are ${known}`;
    terminal.remark(`error: ${message}\n`);
    refuse(terminal, format, undefined, { code: "unknown-policy", message });
    return EXIT.couldNotRun;
  }
  const { result: planned, told } = await planFile(host, terminal, options);
  if (!planned) {
    refuse(terminal, format, told);
    return EXIT.findings;
  }
  const lengths = planned.inputs.data.index.samples.length;
  const compared = comparePolicies(planned.plan, lengths, options.policies);
  terminal.out(
    format === "json"
      ? jsonText({
          format_version: 1,
          sampled_batches: planned.plan.forecast.sampled_batches,
          fit: planned.plan.fit,
          band: planned.plan.forecast.band.time,
          policies: compared,
          ...told,
        })
      : report(planned.plan, compared),
  );
  return EXIT.clean;
}

function report(plan: Plan, compared: readonly ComparedPolicy[]): string {
  const { scheduling, forecast, fit } = plan;
  const rows = compared.map((one) => [
    one.other_batches ? `${one.policy} *` : one.policy,
    ...resultCells(one),
  ]);
  const head = ["policy", "mean step", "p95", "worst", "tokens/s", "local", "gap", "speed-up"];
  const problems = compared
    .filter(({ problem }) => problem !== null)
    .map(({ policy, problem }) => `${policy}: ${printable(problem ?? "")}\n`);
  return [
    `${fitLine(fit)}\n`,
    `Predicted over ${formatCount(forecast.sampled_batches)} global batches (modelled, not measured);\n`,
    `${scheduling.degrees}, ${scheduling.objective}; speed-up over deepspeed in tokens/s\n\n`,
    ...tableLines([head, ...rows]).map((line) => `${line}\n`),
    `\n* ${LONGALIGN}: batches of neighbours in the sorted data, of other sizes;\n  only its tokens/s are comparable\n`,
    ...problems,
    ...finishLines(plan, compared),
    verdict(plan, compared),
  ].join("");
}

/** What a whole run comes to under each policy. */
function finishLines(
  { topology, finish: own, forecast, scheduling }: Plan,
  compared: readonly ComparedPolicy[],
): readonly string[] {
  const priced = own.cost !== null;
  const hours = hoursName(topology.device === "cuda");
  const head = ["of a whole run", "time to finish", hours, ...(priced ? ["cost"] : [])];
  const rows = compared.flatMap(({ policy, finish, within_band: near }) =>
    finish
      ? [
          [
            near && policy !== scheduling.policy ? `${policy} ~` : policy,
            formatDuration(finish.seconds),
            formatAmount(finish.gpu_hours),
            ...(priced ? [formatAmount(finish.cost ?? 0)] : []),
          ],
        ]
      : [],
  );
  const near = compared.some((one) => one.within_band && one.policy !== scheduling.policy);
  const band = bandText(forecast.band.time);
  return [
    "\n",
    ...tableLines([head, ...rows]).map((line) => `${line}\n`),
    near ? `\n~ within ${band} of ${scheduling.policy}, by which predictions may be off\n` : "\n",
  ];
}

function resultCells({ performance, other_batches, speedup }: ComparedPolicy): readonly string[] {
  if (!performance) return ["no schedule", "", "", "", "", "", ""];
  const { step_seconds: step, degrees, gap } = performance;
  const local = degrees.find(({ degree }) => degree === 1)?.tokens ?? 0;
  return [
    formatSeconds(step.mean),
    other_batches ? "-" : formatSeconds(step.p95),
    other_batches ? "-" : formatSeconds(step.worst),
    formatCount(performance.tokens_per_second),
    formatShare(local),
    other_batches ? "-" : formatShare(gap),
    speedup === null ? "-" : `${speedup.toFixed(2)} x`,
  ];
}

/** Within this of packing, scheduling does not help. */
const NO_HELP = 1.05;

function verdict({ forecast }: Plan, compared: readonly ComparedPolicy[]): string {
  const speed = (name: string) =>
    compared.find(({ policy }) => policy === name)?.performance?.tokens_per_second;
  const [auto, packed] = [speed("auto"), speed("packed")];
  if (auto === undefined || packed === undefined) return "";
  const gain = (auto / packed).toFixed(2);
  const near = withinBand(auto, packed, forecast.band.time)
    ? ", less than predictions may be off"
    : "";
  return auto < packed * NO_HELP
    ? "Packing alone is within 5% of auto: scheduling gains little on this data.\n"
    : `auto is ${gain} x as fast as packing alone${near}.\n`;
}
