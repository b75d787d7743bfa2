// Mistakes that once could only be seen in launches of several processes, or not at all.

const RUNTIME = "python/skrull_runtime";

/** What is written in a file, and what takes its place. */
const NAMED = [
  {
    kind: "a window of one token more",
    file: `${RUNTIME}/model/kernels/sdpa.py`,
    from: "columns <= rows.unsqueeze(1) - window",
    to: "columns < rows.unsqueeze(1) - window",
  },
  {
    kind: "the mirrored chunk of the next member",
    file: `${RUNTIME}/batches/layout.py`,
    from: "mirror = 2 * degree - 1 - member",
    to: "mirror = degree + member",
  },
  {
    kind: "ZeRO 1 keeps whole fp32 gradients",
    file: "src/cost/states.ts",
    from: "fp32Gradients: Math.ceil((trained * FP32) / share(1))",
    to: "fp32Gradients: Math.ceil((trained * FP32) / share(2))",
  },
  {
    kind: "p95 is the 0.9 quantile",
    file: "src/plan/performance.ts",
    from: "p95: quantile(sorted, 0.95)",
    to: "p95: quantile(sorted, 0.9)",
  },
  {
    kind: "the checker lets groups cross data-parallel ranks",
    file: "src/schedule/verify.ts",
    from: 'problems.push("group crosses data-parallel ranks");',
    to: "",
  },
  {
    kind: "a wider class is searched from what a narrower search found",
    file: "src/schedule/policies/auto.ts",
    from: "this.#anneal(best, workload)",
    to: "this.#anneal(this.best ?? best, workload)",
  },
  {
    kind: "a sequence goes where it has no room",
    file: "src/schedule/search/slots.ts",
    from: "> free) return false",
    to: "> free) return true",
  },
  {
    kind: "MFU without its square term",
    file: `${RUNTIME}/reporting/metrics.py`,
    from: ' + flops["per_token_squared"] * squares',
    to: "",
  },
  {
    kind: "the hash of planned schedules is not checked",
    file: `${RUNTIME}/scheduling/replay.py`,
    from: 'hashlib.sha256(body).hexdigest() != header["body_sha256"]',
    to: "False",
  },
  {
    kind: "random weights without a seed",
    file: `${RUNTIME}/model/build.py`,
    from: "    torch.manual_seed(seed % 2**63)\n    with nullcontext()",
    to: "    with nullcontext()",
  },
];

/**
 * Those mutations, as the tool takes them.
 *
 * @param read gives the text of a file
 * @throws Error where a file no longer has such a line
 */
export function namedMutations(read) {
  return NAMED.map(({ kind, file, from, to }) => {
    const start = read(file).indexOf(from);
    if (start < 0) throw new Error(`${file} has no '${from}'`);
    return { kind, file, start, end: start + from.length, text: to };
  });
}
