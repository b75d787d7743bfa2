import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { ONLINE_POLICY_WORDS } from "../../src/foundation/vocabularies.generated.js";
import { answerProblem } from "../../src/schedule/answer.js";
import { randomProblem } from "./random-problem.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COUNT = 8000;
/** The policies that a run schedules by. */
const ONLINE: readonly string[] = ONLINE_POLICY_WORDS;

it(`TypeScript and Python answer ${COUNT} random problems alike, to the last bit`, () => {
  const problems = Array.from({ length: COUNT }, (_, n) => randomProblem(1, n));
  const python = spawnSync(`${ROOT}.venv/bin/python`, ["-m", "skrull_runtime.scheduling"], {
    cwd: `${ROOT}python`,
    input: problems.map((problem) => `${JSON.stringify(problem)}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  expect(python.stderr).toBe("");
  const answers = python.stdout.trim().split("\n");
  expect(answers).toHaveLength(COUNT);
  const schedules = answers.filter((answer) => !answer.includes('"error"')).length;
  expect(schedules).toBeGreaterThan(COUNT * 0.5);
  for (const [n, problem] of problems.entries()) {
    if (!ONLINE.includes(problem.policy)) {
      expect(answers[n]).toContain("only the compiler schedules by it");
      continue;
    }
    // Through JSON, because that is how the two programs meet. Training asks for no bound.
    const { lower_bound, gap, ...expected } = JSON.parse(JSON.stringify(answerProblem(problem)));
    expect(JSON.parse(answers[n] ?? "")).toEqual(expected);
  }
}, 300_000);
