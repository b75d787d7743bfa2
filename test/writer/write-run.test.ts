import { describe, expect, it } from "vitest";
import { MemoryHost } from "../../src/host/memory-host.js";
import { differences, editedFiles, type RunFolder, writeRun } from "../../src/writer/write-run.js";

const run = (...files: [string, string][]): RunFolder => ({
  folder: "/out",
  files: files.map(([path, content]) => ({ path, content })),
  skrullVersion: "1.2.3",
  inputs: { "a.skrull": "00" },
});

describe("writeRun", () => {
  it("writes the files and a manifest that vouches for them", () => {
    const host = new MemoryHost();
    const one = run(["train.py", "x = 1\n"], ["sub/b.txt", "b"]);
    writeRun(host, one);
    expect(host.texts()["/out/sub/b.txt"]).toBe("b");
    expect(JSON.parse(host.texts()["/out/skrull.manifest.json"] ?? "")).toMatchObject({
      format_version: 1,
      skrull_version: "1.2.3",
      inputs: { "a.skrull": "00" },
    });
    expect(differences(host, one)).toEqual([]);
  });

  it("marks the files that are to be run", () => {
    const host = new MemoryHost();
    const files = [{ path: "launch.sh", content: "true\n", executable: true }];
    writeRun(host, { ...run(), files });
    expect([...host.executables]).toEqual(["/out/launch.sh"]);
  });

  it("removes what only the compilation before wrote, but not what was edited since", () => {
    const host = new MemoryHost();
    writeRun(host, run(["old.py", "old"], ["edited.py", "old"]));
    host.writeFile("/out/edited.py", "mine");
    writeRun(host, run(["new.py", "new"]));
    const left = Object.keys(host.texts());
    expect(left).toEqual(["/out/edited.py", "/out/new.py", "/out/skrull.manifest.json"]);
  });

  it("never follows a forged manifest out of the folder", () => {
    const host = new MemoryHost({ "/precious.txt": "data" });
    writeRun(host, run(["a", "a"]));
    const sha = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"; // of "data"
    const forged = {
      format_version: 1,
      inputs: {},
      outputs: { "../precious.txt": sha, "/precious.txt": sha },
    };
    host.writeFile("/out/skrull.manifest.json", JSON.stringify(forged));
    writeRun(host, run(["a", "a"]));
    expect(host.texts()["/precious.txt"]).toBe("data");
  });
});

describe("editedFiles", () => {
  it("are those that neither we wrote nor would write", () => {
    const host = new MemoryHost();
    writeRun(host, run(["ours.py", "1"], ["theirs.py", "1"]));
    host.writeFile("/out/theirs.py", "2");
    host.writeFile("/out/unknown.py", "by hand");
    const next = run(["ours.py", "3"], ["theirs.py", "3"], ["unknown.py", "3"], ["new.py", "3"]);
    expect(editedFiles(host, next)).toEqual(["theirs.py", "unknown.py"]);
  });
});

describe("differences", () => {
  it("name what is missing, changed or left over", () => {
    const host = new MemoryHost();
    writeRun(host, run(["a", "1"], ["b", "1"], ["c", "1"]));
    host.remove("/out/b");
    const found = differences(host, run(["a", "2"], ["b", "1"]));
    expect(found).toEqual([
      { path: "a", kind: "changed" },
      { path: "b", kind: "missing" },
      { path: "skrull.manifest.json", kind: "changed" },
      { path: "c", kind: "left over" },
    ]);
  });
});
