// Generated from contract/refusals.json by scripts/generate-contract.mjs. Do not edit.

export const REFUSALS = {
  "format_version": 1,
  "families": [
    "llama",
    "mistral",
    "mixtral",
    "qwen2",
    "qwen3",
    "qwen3_moe",
    "starcoder2"
  ],
  "refusals": [
    {
      "id": "several-parts",
      "final": true,
      "only": "families",
      "when": [
        {
          "key": "text_config",
          "allow": []
        },
        {
          "key": "vision_config",
          "allow": []
        },
        {
          "key": "audio_config",
          "allow": []
        },
        {
          "key": "thinker_config",
          "allow": []
        }
      ],
      "reason": "the model has parts besides its text decoder, and a run has text only",
      "help": "Train the text decoder as a model of its own: save it with its own config.json, whose model_type must be one of {families}."
    },
    {
      "id": "family",
      "final": true,
      "when": [
        {
          "key": "model_type",
          "allow": "models",
          "required": true
        }
      ],
      "reason": "{why}",
      "help": "No configuration of this family works; docs/models.md has a table of those that do, {families} among them."
    },
    {
      "id": "quantised",
      "when": [
        {
          "key": "quantization_config",
          "allow": [],
          "detail": "quant_method"
        },
        {
          "key": "compression_config",
          "allow": [],
          "detail": "quant_method"
        }
      ],
      "reason": "quantised weights have no gradients, and their memory is not what is planned",
      "help": "Use the model as it was published before it was quantised (in bf16 or fp32), with its own config.json."
    },
    {
      "id": "dropout",
      "when": [
        {
          "key": "attention_dropout",
          "allow": [
            0,
            false
          ]
        },
        {
          "key": "embedding_dropout",
          "allow": [
            0,
            false
          ]
        },
        {
          "key": "residual_dropout",
          "allow": [
            0,
            false
          ]
        },
        {
          "key": "hidden_dropout",
          "allow": [
            0,
            false
          ]
        },
        {
          "key": "attn_pdrop",
          "allow": [
            0,
            false
          ]
        },
        {
          "key": "embd_pdrop",
          "allow": [
            0,
            false
          ]
        },
        {
          "key": "resid_pdrop",
          "allow": [
            0,
            false
          ]
        }
      ],
      "reason": "packed attention has no dropout, and ranks that share a sequence would draw different numbers",
      "help": "Set it to 0 in the configuration: fine-tuning rarely needs it."
    },
    {
      "id": "router-noise",
      "when": [
        {
          "key": "router_jitter_noise",
          "allow": [
            0,
            false
          ]
        }
      ],
      "reason": "ranks that share a sequence would send its tokens to different experts",
      "help": "Set router_jitter_noise to 0 in the configuration."
    },
    {
      "id": "rope-settings",
      "when": [
        {
          "key": "rope_scaling",
          "object": true
        },
        {
          "key": "rope_parameters",
          "object": true
        }
      ],
      "reason": "the settings of rotary embeddings must be a JSON object",
      "help": "Use the config.json that the model was published with."
    },
    {
      "id": "rope-kind",
      "only": "families",
      "when": [
        {
          "key": "rope_scaling.rope_type",
          "allow": [
            "default",
            "linear",
            "dynamic",
            "yarn",
            "llama3"
          ]
        },
        {
          "key": "rope_scaling.type",
          "allow": [
            "default",
            "linear",
            "dynamic",
            "yarn",
            "llama3"
          ]
        },
        {
          "key": "rope_scaling.mrope_section",
          "allow": []
        },
        {
          "key": "rope_parameters.rope_type",
          "allow": [
            "default",
            "linear",
            "dynamic",
            "yarn",
            "llama3"
          ]
        },
        {
          "key": "rope_parameters.type",
          "allow": [
            "default",
            "linear",
            "dynamic",
            "yarn",
            "llama3"
          ]
        },
        {
          "key": "rope_parameters.mrope_section",
          "allow": []
        }
      ],
      "reason": "such rotary embeddings were not tested in these families, or depend on what is no text",
      "help": "Scale positions in the spec instead: model { rope_scaling = linear, dynamic, yarn or llama3 } takes the place of the configuration's own."
    },
    {
      "id": "rope-by-layer",
      "only": "families",
      "when": [
        {
          "key": "rope_scaling.full_attention",
          "allow": []
        },
        {
          "key": "rope_scaling.sliding_attention",
          "allow": []
        },
        {
          "key": "rope_parameters.full_attention",
          "allow": []
        },
        {
          "key": "rope_parameters.sliding_attention",
          "allow": []
        }
      ],
      "reason": "layers with rotary embeddings of different kinds are not supported",
      "help": "Use a model whose layers have the same rotary embeddings."
    },
    {
      "id": "partial-rope",
      "only": "families",
      "when": [
        {
          "key": "partial_rotary_factor",
          "allow": [
            1
          ]
        },
        {
          "key": "rope_scaling.partial_rotary_factor",
          "allow": [
            1
          ]
        },
        {
          "key": "rope_parameters.partial_rotary_factor",
          "allow": [
            1
          ]
        }
      ],
      "reason": "the supported families rotate whole heads, and would fail or ignore it",
      "help": "Use a model of these families, or leave the key out: {families}."
    },
    {
      "id": "layer-kind",
      "only": "families",
      "when": [
        {
          "key": "layer_types",
          "each": [
            "full_attention",
            "sliding_attention"
          ]
        }
      ],
      "reason": "only layers of full_attention and sliding_attention are supported",
      "help": "Use a model without other kinds of layers."
    },
    {
      "id": "activation",
      "only": "families",
      "when": [
        {
          "key": "hidden_act",
          "allow": [
            "gelu",
            "gelu_fast",
            "gelu_new",
            "gelu_pytorch_tanh",
            "leaky_relu",
            "mish",
            "quick_gelu",
            "relu",
            "relu2",
            "relu6",
            "sigmoid",
            "silu",
            "swish",
            "tanh"
          ]
        }
      ],
      "reason": "it is not an activation that transformers has and that gives the same result each time",
      "help": "Use the config.json that the model was published with."
    }
  ]
} as const;
