// Ranks of a run on cores of their own.
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { PYTHON } from "../../scripts/lib.mjs";

const RANKS = 2;

/** Runs Python with these arguments on every rank of a run's folder; what rank 0 prints. */
export async function pinned(folder, args) {
  const port = await freePort();
  const started = Array.from({ length: RANKS }, (_, rank) => start(folder, args, rank, port));
  const outputs = await Promise.all(started);
  return outputs[0];
}

function start(folder, args, rank, port) {
  const env = {
    ...environment(folder),
    RANK: `${rank}`,
    LOCAL_RANK: `${rank}`,
    WORLD_SIZE: `${RANKS}`,
    LOCAL_WORLD_SIZE: `${RANKS}`,
    LOCAL_SIZE: `${RANKS}`,
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: `${port}`,
  };
  const stdio = ["ignore", "pipe", "inherit"];
  const child = spawn("taskset", ["-c", `${rank}`, PYTHON, ...args], { cwd: folder, env, stdio });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`rank ${rank} ended with ${code}: ${output}`)),
    );
  });
}

/** The report of a run that has trained. */
export function reportOf(folder) {
  const args = ["-m", "skrull_runtime.report", folder, "--format", "json"];
  const options = { cwd: folder, env: environment(folder), encoding: "utf8" };
  return JSON.parse(execFileSync(PYTHON, args, options));
}

function environment(folder) {
  return { ...process.env, PYTHONPATH: folder, DS_ACCELERATOR: "cpu", OMP_NUM_THREADS: "1" };
}

/** A TCP port that nobody listens on. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
