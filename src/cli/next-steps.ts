import { join } from "pathe";
import { shellWord } from "../emit/quote.js";
import { launchValues } from "../emit/run-values.js";
import { printableLines } from "../foundation/printable.js";
import type { Plan } from "../plan/plan.js";

/**
 * How a run that was just written is started.
 *
 * @param dataRoot where its data is, if the run does not know the way there itself
 */
export function nextSteps(plan: Plan, out: string, dataRoot?: string): string {
  const { multi_node, hosts, nodes, last_node } = launchValues(plan);
  const byNodeRank = multi_node && hosts.length === 0;
  const where = multi_node ? `on every one of the ${nodes} nodes` : "on the machine that trains";
  const perNode = byNodeRank ? `, NODE_RANK from 0 to ${last_node}` : "";
  const first =
    multi_node && !byNodeRank
      ? "  # on one of the hosts, or any machine that reaches them over ssh"
      : "";
  const settings = [
    ...(dataRoot === undefined ? [] : [`SKRULL_DATA_ROOT=${shellWord(dataRoot)}`]),
    ...(byNodeRank ? ["NODE_RANK=0", "MASTER_ADDR=address-of-node-0"] : []),
  ];
  const file = (name: string) => shellWord(join(out, name));
  const start = [...settings, "bash", file("launch.sh")].join(" ");
  const install = `pip install -r ${file("requirements.txt")}`;
  return printableLines(`\nNext, ${where}${perNode}:\n  ${install}\n  ${start}${first}\n`);
}
