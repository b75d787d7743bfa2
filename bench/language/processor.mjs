// Processor time of finished child processes: what a start costs, however busy the machine is.
import { readFileSync } from "node:fs";

/** ms of all that were waited for so far; `undefined` where the system does not tell. */
export function childTime() {
  try {
    // Fields 16 and 17 of /proc/self/stat, counted after the name in parentheses, in ticks of 10 ms.
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ");
    return 10 * (Number(fields[13]) + Number(fields[14]));
  } catch {
    return undefined;
  }
}
