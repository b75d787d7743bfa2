import { type Command, Option } from "commander";
import { formatOption } from "./options.js";
import type { Program } from "./program.js";
import { rulesHelp } from "./rules-help.js";

/** Apart from the other verbs: it is built as a program of its own. */
export function addLint({ program, host, terminal, version, end }: Program): void {
  program
    .command("lint")
    .description("check specs: syntax, types, units and meaning")
    .argument("[path...]", "spec files, or folders with specs")
    .addOption(formatOption("sarif", "github"))
    .option("--deny-warnings", "exit with 1 on warnings too", false)
    .option("--fix", "apply the fixes that cannot change the intended meaning", false)
    .addOption(
      new Option("--unsafe-fixes", "apply all fixes").default(false).implies({ fix: true }),
    )
    .option("--force-exclude", "also leave out named files that the configuration excludes", false)
    .option(
      "--print-config <file>",
      "print the configuration that applies to a file, and where each part comes from",
    )
    .addHelpText("after", rulesHelp)
    .action(async (paths: string[], options, command: Command) => {
      const { printConfig: file, format } = options;
      if (file !== undefined) {
        if (paths.length > 0) command.error("error: --print-config takes one file and no paths");
        if (format !== "pretty" && format !== "json")
          command.error("error: --print-config prints pretty or json");
        const { printConfigCommand } = await import("./print-config.js");
        end(await printConfigCommand(host, terminal, file, { ...options, skrullVersion: version }));
        return;
      }
      if (paths.length === 0) command.error("error: missing required argument 'path'");
      const { lintCommand } = await import("./lint.js");
      end(await lintCommand(host, terminal, paths, { ...options, skrullVersion: version }));
    });
}
