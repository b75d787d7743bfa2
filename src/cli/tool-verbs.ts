import { formatOption } from "./options.js";
import type { Program } from "./program.js";
import { readInput } from "./read-input.js";

export function addCache({ program, host, terminal, end }: Program): void {
  program
    .command("cache")
    .description("token tables and counts kept between runs, which can be made again")
    .option("--size", "print its size (the default)", false)
    .option("--clear", "remove it", false)
    .addOption(formatOption())
    .action(async (options) => {
      const { cacheCommand } = await import("./cache.js");
      end(cacheCommand(host, terminal, options));
    });
}

export function addSchedule({ program, host, terminal, end }: Program): void {
  program
    .command("schedule")
    .description("solve one scheduling problem: JSON on stdin, JSON on stdout")
    .action(async () => {
      const { scheduleCommand } = await import("./schedule.js");
      end(scheduleCommand(host, terminal, await readInput()));
    });
}

export function addLsp({ program, host, version }: Program): void {
  program
    .command("lsp")
    .description("language server for editors, on stdin and stdout")
    .option("--stdio", "the only transport; accepted because editors pass it")
    .option("--clientProcessId <pid>", "exit when this process does")
    .action(async () => {
      const { lspCommand } = await import("./lsp.js");
      const { stdin: input, stdout: output } = process;
      lspCommand(host, { input, output }, { skrullVersion: version });
    });
}
