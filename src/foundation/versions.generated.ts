// Generated from contract/versions.json by scripts/generate-contract.mjs. Do not edit.

export const VERSIONS = {
  "format_version": 1,
  "packages": {
    "torch": {
      "oldest": "2.9",
      "newest": "2.15.0",
      "below": "2.16"
    },
    "deepspeed": {
      "oldest": "0.19.2",
      "newest": "0.19.8",
      "below": "0.20"
    },
    "transformers": {
      "oldest": "5.6",
      "newest": "5.24.0",
      "below": "6"
    }
  },
  "features": [
    {
      "id": "gradient-dtype",
      "package": "torch",
      "since": "2.10",
      "feature": "`gradients = fp32` where a rank adds up its own micro-batches (ZeRO 0 and 1, or `reduction = once`)",
      "without": "they are added in the model's precision"
    },
    {
      "id": "varlen",
      "package": "torch",
      "since": "2.11",
      "feature": "`attention = varlen`",
      "without": "on a GPU, FlashAttention-2 or -3 has to be installed"
    },
    {
      "id": "reduced-gradients",
      "package": "deepspeed",
      "since": "0.19.8",
      "feature": "`gradients = fp32` under ZeRO 2 where every micro-batch is reduced",
      "without": "they are added in the model's precision"
    },
    {
      "id": "offloaded-gradients",
      "package": "deepspeed",
      "since": "0.19.8",
      "feature": "`gradients = fp32` with an offloaded optimizer under ZeRO 1 or 2",
      "without": "micro-batches would be added in the model's precision, and on CPU ranks never over ranks",
      "refused": true
    },
    {
      "id": "checked-norm",
      "package": "deepspeed",
      "since": "0.19.8",
      "feature": "the check of a step's gradient by its norm alone, under ZeRO 1 to 3",
      "without": "every gradient is looked at once more before a step"
    },
    {
      "id": "muon",
      "package": "deepspeed",
      "since": "0.19.8",
      "feature": "`optimizer = muon`",
      "without": "every micro-batch, not the step, would advance the momentum, or matrices would be trained by plain SGD",
      "refused": true
    },
    {
      "id": "adapters-recomputed",
      "package": "deepspeed",
      "since": "0.19.6",
      "feature": "adapters under ZeRO 3 with recomputation",
      "without": "the first backward would fail",
      "refused": true
    }
  ]
} as const;
