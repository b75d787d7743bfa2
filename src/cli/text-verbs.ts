import { Option } from "commander";
import type { Program } from "./program.js";
import { readInput } from "./read-input.js";
import { DEFAULT_STARTER, STARTERS } from "./starters.js";

export function addInit({ program, host, terminal, end }: Program): void {
  program
    .command("init")
    .description("write a starter spec with sample data; overwrites nothing")
    .argument("[dir]", "folder to write to", ".")
    .addOption(
      new Option("--template <name>", "what to start from")
        .choices(Object.keys(STARTERS))
        .default(DEFAULT_STARTER),
    )
    .action(async (folder: string, options) => {
      const { initCommand } = await import("./init.js");
      end(initCommand(host, terminal, folder, options));
    });
}

export function addExplain({ program, host, terminal, end }: Program): void {
  program
    .command("explain")
    .description("show the page of a diagnostic, offline; without a code, list them all")
    .argument("[code]", "code of a diagnostic, such as unknown-key")
    .action(async (code: string | undefined) => {
      const { explainCommand } = await import("./explain.js");
      end(explainCommand(host, terminal, code));
    });
}

export function addFmt({ program, host, terminal, end }: Program): void {
  program
    .command("fmt")
    .description("format specs in place; '-' formats standard input to standard output")
    .argument("<path...>", "spec files, folders with specs, or -")
    .option("--check", "write nothing; exit with 1 if a file is not formatted", false)
    .option("--diff", "write nothing; show what would change", false)
    .action(async (paths: string[], options) => {
      const { fmtCommand } = await import("./fmt.js");
      end(await fmtCommand(host, terminal, paths, options, readInput));
    });
}
