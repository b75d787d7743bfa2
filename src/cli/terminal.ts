import { printable } from "../foundation/printable.js";
import type { DataFile, Progress } from "../lengths/measure.js";

/** Where a command's results and its remarks go; remarks never mix with results. */
export interface Terminal {
  out(text: string): void;
  remark(text: string): void;
  /** Whether results may carry colour. */
  readonly colour: boolean;
  /** Shows progress in place; does nothing where remarks do not go to a terminal. */
  progress(line: string): void;
}

interface Stream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A {@link Terminal} over the process's streams. */
export function processTerminal(
  stdout: Stream,
  stderr: Stream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  let showing = false;
  const clear = () => {
    if (showing) stderr.write("\r\u001b[2K");
    showing = false;
  };
  return {
    colour: stdout.isTTY === true && !environment["NO_COLOR"],
    out: (text) => {
      clear();
      stdout.write(text);
    },
    remark: (text) => {
      clear();
      stderr.write(text);
    },
    progress: (line) => {
      if (!stderr.isTTY) return;
      clear();
      if (line === "") return;
      stderr.write(line);
      showing = true;
    },
  };
}

/** Shows how far counting tokens has come, at most some times a second. */
export function lengthProgress(terminal: Terminal, now: () => number): Progress {
  let last = Number.NEGATIVE_INFINITY;
  return (file: DataFile, bytes: number, total: number) => {
    const time = now();
    if (time - last < 100) return;
    last = time;
    const share = total === 0 ? 100 : Math.floor((100 * bytes) / total);
    terminal.progress(`counting tokens: ${printable(file.name)} ${share}%`);
  };
}
