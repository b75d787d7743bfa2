const MOVED = 0.3;

/** Figures that are times or rates; each is multiplied by a number drawn for it. */
const RATES = [
  "matmul_flops",
  "head_flops",
  "attention_flops",
  "elementwise_bytes_per_second",
  "memory_bandwidth",
  "host_link",
  "host_adam_parameters",
  "small_shard_tokens",
];

/** What every figure and constant is multiplied with, drawn anew. */
export function factors(draw) {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, 1 + MOVED * (2 * draw() - 1));
    return known.get(name);
  };
}

export function moved(figures, times) {
  const scaled = (name) =>
    typeof figures[name] === "number" ? figures[name] * times(name) : figures[name];
  const table = (name, row) => row?.map((us) => us * times(name));
  return {
    ...figures,
    ...Object.fromEntries(RATES.map((name) => [name, scaled(name)])),
    collectives: figures.collectives.map((own) => ({
      ...own,
      all_gather_us: table("all_gather", own.all_gather_us),
      reduce_scatter_us: table("reduce_scatter", own.reduce_scatter_us),
      ...(own.all_to_all_us ? { all_to_all_us: table("all_to_all", own.all_to_all_us) } : {}),
    })),
    constants: Object.fromEntries(
      Object.entries(figures.constants).map(([name, value]) => [
        name,
        name === "zero_overlap" ? Math.min(1, value * times(name)) : value * times(name),
      ]),
    ),
  };
}
