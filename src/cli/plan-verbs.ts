import { formatOption, rateOption, runOption } from "./options.js";
import type { Program } from "./program.js";

export function addPlan({ program, host, terminal, version, end }: Program): void {
  program
    .command("plan")
    .description("measure, solve and explain; writes nothing")
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .addOption(rateOption())
    .option("--advice", "also say what would make it cheaper, which takes longer", false)
    .addOption(formatOption())
    .action(async (spec: string, options) => {
      const { planCommand } = await import("./plan.js");
      end(
        await planCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });
}

export function addCompare({ program, host, terminal, version, end }: Program): void {
  program
    .command("compare")
    .description("predicted step time of the scheduling policies side by side; writes nothing")
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .option(
      "--policies <names>",
      "only these, separated by commas, and the baselines; 'peers' for what other programs do",
      splitNames,
    )
    .addOption(rateOption())
    .addOption(formatOption())
    .action(async (spec: string, options) => {
      const { compareCommand } = await import("./compare.js");
      end(
        await compareCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });
}

export function addTune({ program, host, terminal, version, end }: Program): void {
  program
    .command("tune")
    .description(
      "rank CP degrees, ZeRO stages, recomputation and C for a spec, and of what it leaves open offload, kernels, precision of gradients and rank of adapters; writes nothing unless asked to",
    )
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .addOption(rateOption())
    .option(
      "--write",
      "write the setting to take into the spec, and show what changes in it",
      false,
    )
    .addOption(formatOption())
    .action(async (spec: string, options) => {
      const { tuneCommand } = await import("./tune.js");
      end(
        await tuneCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });
}

export function addCompile({ program, host, terminal, version, end }: Program): void {
  program
    .command("compile")
    .description(
      "emit a run: DeepSpeed configuration, sampler, training entry point, launch script",
    )
    .argument("<spec>", "spec file")
    .addOption(runOption())
    .requiredOption("--out <dir>", "folder to write")
    .option(
      "--check",
      "write nothing; exit with 1 if the folder is not what would be emitted",
      false,
    )
    .option("--force", "overwrite files that were edited by hand", false)
    .action(async (spec: string, options) => {
      const { compileCommand } = await import("./compile.js");
      end(
        await compileCommand(host, terminal, {
          ...options,
          path: spec,
          skrullVersion: version,
        }),
      );
    });
}

function splitNames(value: string): readonly string[] {
  return value.split(",").map((name) => name.trim());
}
