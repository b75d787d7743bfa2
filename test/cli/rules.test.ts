import { describe, expect, it } from "vitest";
import { files, project, skrull, spec } from "./run.js";

/** A run that would end before its first step. */
const FLASH = spec().replace("model {", "model { attention = flash2");
const CONFIG = "lint: { rules: { attention-needs-gpu: off } }\n";

describe("plan and compile", () => {
  it("are stopped by the errors of lint's rules, as the configuration has them", () => {
    const cwd = project({ ...files(), "spec.skrull": FLASH });
    for (const verb of [["plan"], ["compile", "--out", "run"]]) {
      const stopped = skrull([...verb, "spec.skrull"], { cwd });
      expect(stopped.status).toBe(1);
      expect(stopped.stdout).toBe("");
      expect(stopped.stderr).toContain("error [attention-needs-gpu]");
    }
    const off = project({ ...files(), "spec.skrull": FLASH, "skrull.config.yaml": CONFIG });
    const planned = skrull(["plan", "spec.skrull"], { cwd: off });
    expect(planned.status, planned.stderr).toBe(0);
    expect(planned.stderr).not.toContain("attention-needs-gpu");
  });

  it("are stopped by a configuration with an error", () => {
    const config = "lint: { rules: { no-such-rule: off } }\n";
    const cwd = project({ ...files(), "skrull.config.yaml": config });
    const stopped = skrull(["plan", "spec.skrull"], { cwd });
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toContain("skrull.config.yaml:1");
  });

  it("warn of what they find themselves as a rule of the same name is set", () => {
    const short = spec()
      .replace("max_length = 1K", "max_length = 16 overlong = truncate")
      .replace("bucket = 1K", "bucket = 16");
    const warned = skrull(["plan", "spec.skrull"], {
      cwd: project({ ...files(), "spec.skrull": short }),
    });
    expect(warned.stderr.match(/\[overlong-samples-lost\]/g)).toHaveLength(1);
    const config = "lint: { rules: { overlong-samples-lost: off } }\n";
    const silent = skrull(["plan", "spec.skrull"], {
      cwd: project({ ...files(), "spec.skrull": short, "skrull.config.yaml": config }),
    });
    expect(silent.stderr).not.toContain("overlong-samples-lost");
  });

  it("warn of a placeholder for a tokenizer whatever a comment says", () => {
    const comment = "# skrull-ignore-file tokenizer-without-meaning: a placeholder\n";
    const pretrained = spec().replace('config = "model.json" weights = random', "");
    // One that is not suppressed is told once.
    const cwdPlain = project({
      ...files(),
      "spec.skrull": pretrained.replace("model {", 'model "Qwen/Qwen2.5-0.5B" {'),
    });
    const told = skrull(["plan", "spec.skrull"], { cwd: cwdPlain }).stderr;
    expect(told.match(/warning \[tokenizer-without-meaning\]/g)).toHaveLength(1);
    const named = pretrained.replace("model {", 'model "Qwen/Qwen2.5-0.5B" {');
    const cwd = project({ ...files(), "spec.skrull": comment + named });
    expect(skrull(["lint", "spec.skrull"], { cwd }).stdout).not.toContain("tokenizer-without");
    expect(skrull(["plan", "spec.skrull"], { cwd }).stderr).toContain(
      "warning [tokenizer-without-meaning]",
    );
  });

  it("leave settings to tune that a rule would refuse", () => {
    const cwd = project({ ...files(), "spec.skrull": FLASH });
    expect(skrull(["tune", "spec.skrull"], { cwd }).status).toBe(0);
  });
});
