// The ranks of one method: started once, then told again and again how many steps to train.
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fail, PYTHON, ROOT } from "../../scripts/lib.mjs";
import { freePort } from "../calibration/ranks.mjs";
import { FOLDER, RANK_ENVIRONMENT } from "./setting.mjs";

/** Starts `count` ranks of a method on a compiled run. */
export async function startRanks(name, method, run, count) {
  const logs = join(ROOT, FOLDER, "logs");
  mkdirSync(logs, { recursive: true });
  const common = {
    ...process.env,
    ...RANK_ENVIRONMENT,
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(await freePort()),
    WORLD_SIZE: String(count),
    LOCAL_SIZE: String(count),
  };
  const ranks = Array.from({ length: count }, (_, rank) =>
    startRank(join(logs, `${name}-${rank}.log`), [method, run], {
      ...common,
      RANK: String(rank),
      LOCAL_RANK: String(rank),
    }),
  );
  return {
    /** Trains that many steps; what each rank has measured. */
    train: (steps) => Promise.all(ranks.map((rank) => rank.ask(steps))),
    stop: () => Promise.all(ranks.map((rank) => rank.stop())),
  };
}

function startRank(log, args, env) {
  const output = openSync(log, "w");
  const child = spawn(PYTHON, [join(ROOT, "bench/training/worker.py"), ...args], {
    env,
    stdio: ["pipe", output, output, "pipe"],
  });
  child.stdin.on("error", () => {}); // a rank that has ended is reported below
  const answers = createInterface({ input: child.stdio[3] })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) =>
    child.on("exit", (code, signal) => resolve(code ?? signal)),
  );
  const died = (how = "") =>
    fail(`a rank has ended ${how}:\n${readFileSync(log, "utf8").slice(-3000)}`);
  return {
    async ask(steps) {
      child.stdin.write(`${steps}\n`);
      const { value, done } = await answers.next();
      return done ? died() : JSON.parse(value);
    },
    async stop() {
      child.stdin.end();
      const how = await ended;
      if (how !== 0) died(how);
    },
  };
}
