import { formatAmount, formatBytes, formatDuration } from "../foundation/format.js";
import type { FinishPlan, FitPlan, Plan } from "../plan/plan.js";

/** What one asks of a plan first, in a line each. */
export function planAnswers({ fit, finish, forecast, topology }: Plan): string {
  const hours = hoursName(topology.device === "cuda");
  const time = `${formatDuration(finish.seconds)}, give or take ${bandText(forecast.band.time)}`;
  return `${fitLine(fit)}
Time to finish: ${time}
${hours[0]?.toUpperCase()}${hours.slice(1)}: ${formatAmount(finish.gpu_hours)}
Cost: ${costOf(finish, hours)}
`;
}

/** A band as people say it: `25%`. */
export const bandText = (share: number): string => `${Math.round(100 * share)}%`;

/** What hours are counted of. */
export const hoursName = (onGpu: boolean): "GPU-hours" | "rank-hours" =>
  onGpu ? "GPU-hours" : "rank-hours";

function costOf({ cost, gpu_hour: price }: FinishPlan, hours: string): string {
  return cost === null || price === null
    ? "not known without a price: --rate, or cluster { gpu_hour }"
    : `${formatAmount(cost)}, at ${price} a ${hours.slice(0, -1)}`;
}

/** Whether it fits, and by how much. */
export function fitLine({ fits, rank, node }: FitPlan): string {
  if (fits) return `Fits: yes, ${formatBytes(rank.spare_bytes)} to spare${ofNode(node)}`;
  if (rank.spare_bytes < 0) return `Fits: no, ${formatBytes(-rank.spare_bytes)} too little`;
  if (node && node.spare_bytes < 0)
    return `Fits: no, ${formatBytes(-node.spare_bytes)} too little in a node's memory`;
  return "Fits: no, the bucket is too small for the longest sequence";
}

const ofNode = (node: FitPlan["node"]): string =>
  node && node.needed_bytes > 0 ? `, and ${formatBytes(node.spare_bytes)} of a node's memory` : "";
