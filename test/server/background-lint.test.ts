import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MemoryHost } from "../../src/host/memory-host.js";
import { analyze } from "../../src/semantics/analyze.js";
import { BackgroundLint } from "../../src/server/background-lint.js";
import { AnalysedDocument } from "../../src/server/document.js";
import type { LintTask } from "../../src/server/lint-worker.js";

/** Takes a second for every document, and counts. */
class SlowHost extends MemoryHost {
  running = 0;
  most = 0;
  override async runInWorkers<Task, Result>(_: string, [task]: readonly Task[]) {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    this.running -= 1;
    return [[(task as LintTask).path]] as Result[];
  }
}

const documentOf = (path: string) =>
  new AnalysedDocument(path, "skrull 1\n", analyze(path, "skrull 1\n"));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("looks at few documents at once, at those that changed last first", async () => {
  const host = new SlowHost();
  const done: string[] = [];
  const lint = new BackgroundLint(
    host,
    (uri) => done.push(uri),
    (error) => expect.fail(String(error)),
  );
  const names = ["a", "b", "c", "d", "e", "f"];
  for (const name of names) lint.start(name, documentOf(name));
  await vi.advanceTimersByTimeAsync(400);
  lint.start("b", documentOf("b"));
  lint.cancel("d");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(host.most).toBe(2);
  // Two had begun when b changed, and that was the last to change.
  expect(done).toEqual(["a", "b", "f", "e", "c"]);
});
