// A spec of many lines that has nothing wrong with it: constants, named clusters, and runs that use them.

const HEAD = `skrull 1

model "Qwen/Qwen2.5-0.5B" {
  precision = bf16
}

data {
  train      = ["data/*.jsonl"]
  tokenizer  = "bytes"
  max_length = seq0 * 2
}

schedule {
  global_batch = 256
}

train {
  optimizer = adamw { lr = 1e-5 weight_decay = 0.1 }
}
`;

/** One of each, about 20 lines. */
const part = (n) => `
# What number ${n} of these machines can do.
let seq${n} = ${n + 1}K
let steps${n} = 2 * ${n} + 24

cluster machines${n}${n % 4 > 0 ? ` extends machines${n - 1}` : ""} {
  nodes   = ${(n % 8) + 1}
  gpus = 8 # of each
  gpu     = h100_sxm_80gb
  network = 400 Gbit/s
}

run run${n} {
  cluster = machines${n}
  train {
    steps = steps${n}
    seed  = ${n}
  }
}
`;

/** A text of at least so many lines. */
export function longSpec(lines) {
  let text = HEAD;
  for (let n = 0; text.split("\n").length <= lines; n += 1) text += part(n);
  return text;
}
