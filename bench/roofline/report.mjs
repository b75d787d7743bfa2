// The tables of a roofline document. Means over global batches; the first batch where a table is of one.
import { mean, table } from "../scheduling/measure.mjs";

const TOP = 12;
const BLANK = Array(5).fill("-");

/** Markdown. */
export function report({ model, gpu, kernel, ranks, policies, alone }) {
  const [own, batches] = Object.entries(policies)[0];
  const head = `${model} on ${gpu.name}, DP ${ranks.data_parallel} x CP ${ranks.context_parallel}, kernel ${kernel}; ${batches.length} global ${batches.length === 1 ? "batch" : "batches"}`;
  const parts = [
    head,
    steps(policies),
    `Where the slowest rank's time goes, ${own}, first global batch:`,
    operations(batches[0]),
    "The fullest micro-batch of that rank, beside the plain model on as many tokens that nobody shares: in one row, and as a rank's share of the same sequences, each whole on one GPU:",
    baseline(policies),
    ...(alone === null ? [] : [aloneText(alone)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function steps(policies) {
  const rows = Object.entries(policies).map(([policy, batches]) => {
    const of = (name) => mean(batches.map((batch) => batch[name]));
    return [
      policy,
      of("micro_batches").toFixed(1),
      ms(of("predicted_seconds")),
      ms(of("predicted_zero_seconds")),
      ms(of("device_seconds")),
      ms(of("host_seconds")),
      thousands(of("launches")),
      of("synchronisations").toFixed(0),
      gigabytes(of("bytes")),
      gigabytes(of("received_bytes")),
      overlap(batches[0].overlap),
      ms(of("travel_seconds")),
      ms(of("waited_seconds")),
      gibibytes(Math.max(...batches.map((batch) => batch.peak_bytes))),
      gibibytes(Math.max(...batches.map((batch) => batch.predicted_peak_bytes))),
    ];
  });
  const head = [
    "policy",
    "micro-batches",
    "planned ms",
    "of it ZeRO",
    "device ms",
    "host ms",
    "kernels",
  ];
  const more = [
    "host stops",
    "GB read and written",
    "GB received",
    "received during attention",
    "on the wire, ms",
    "waited for it, ms",
  ];
  return table([...head, ...more, "peak GiB", "planned GiB"], rows).trimEnd();
}

function operations({ operations, device_seconds: total }) {
  const sorted = Object.entries(operations).sort(
    ([first, a], [second, b]) => b.seconds - a.seconds || first.localeCompare(second),
  );
  const rows = sorted
    .slice(0, TOP)
    .map(([name, line]) => [
      name,
      ms(line.seconds),
      `${((100 * line.seconds) / total).toFixed(1)}%`,
      thousands(line.launches),
      gigabytes(line.bytes),
    ]);
  return table(["operation", "device ms", "share", "kernels", "GB"], rows).trimEnd();
}

function baseline(policies) {
  const rows = Object.entries(policies).flatMap(([policy, [{ baseline }]]) => {
    const tokens = thousands(baseline.tokens);
    const sharded = thousands(baseline.sharded_tokens);
    return [
      [policy, tokens, sharded, ...columns(baseline.own)],
      ["plain model, shards as sequences", tokens, "0", ...columns(baseline.plain)],
      ["plain model, sequences whole", tokens, "0", ms(baseline.whole_seconds), ...BLANK],
    ];
  });
  const head = ["", "tokens", "of them sharded", "device ms", "besides attention kernels, ms"];
  return table([...head, "host ms", "kernels", "host stops", "peak GiB"], rows).trimEnd();
}

function columns(cell) {
  return [
    ms(cell.device_seconds),
    ms(cell.besides_attention_seconds),
    ms(cell.host_seconds),
    thousands(cell.launches),
    cell.synchronisations,
    gibibytes(cell.peak_bytes),
  ];
}

function aloneText(alone) {
  return (
    `One sequence of ${thousands(alone.tokens)} tokens alone over ${alone.degree} ranks: ${ms(alone.device_seconds)} ms of the device, ` +
    `${gigabytes(alone.received_bytes)} GB received in ${alone.collectives.forward} and ${alone.collectives.backward} collectives, ` +
    `of which ${overlap(alone.overlap)} (forward / backward) while an attention kernel runs; they take ${ms(alone.travel_seconds)} ms, of which the device waits ${ms(alone.waited_seconds)} ms; ${gibibytes(alone.peak_bytes)} GiB at the peak. ` +
    `A layer's attention, by itself: ${gibibytes(alone.attention.transient_bytes)} GiB besides its inputs, its output and the gradients of that and of queries, ${gibibytes(alone.attention.forward_bytes)} of it in the forward.`
  );
}

function overlap({ forward, backward }) {
  return `${percent(forward)} / ${percent(backward)}`;
}

const percent = (share) => (share === null ? "-" : `${(100 * share).toFixed(0)}%`);
const ms = (seconds) => (1000 * seconds).toFixed(1);
const gigabytes = (bytes) => (bytes / 1e9).toFixed(1);
const gibibytes = (bytes) => (bytes / 2 ** 30).toFixed(2);
const thousands = (number) => Math.round(number).toLocaleString("en-US");
