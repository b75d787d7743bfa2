// Generated from contract/models.json by scripts/generate-contract.mjs. Do not edit.

/** Why models of these types cannot be trained. */
export const REFUSED = {
  "aimv2": "its text decoder (aimv2_text_model) is no causal language model of its own in transformers",
  "align": "its text decoder (align_text_model) is no causal language model of its own in transformers",
  "altclip": "its text decoder (altclip_text_model) is no causal language model of its own in transformers",
  "axk2": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "bart": "it has an encoder besides its decoder",
  "bert": "its attention is not causal",
  "bert-generation": "its attention is not causal",
  "big_bird": "its attention does not go through the registry of transformers",
  "bigbird_pegasus": "it has an encoder besides its decoder",
  "blenderbot": "it has an encoder besides its decoder",
  "blenderbot-small": "it has an encoder besides its decoder",
  "blip": "its text decoder (blip_text_model) is no causal language model of its own in transformers",
  "bloom": "its attention does not go through the registry of transformers",
  "bridgetower": "its text decoder (bridgetower_text_model) is no causal language model of its own in transformers",
  "camembert": "its attention is not causal",
  "chinese_clip": "its text decoder (chinese_clip_text_model) is no causal language model of its own in transformers",
  "clap": "its text decoder (clap_text_model) is no causal language model of its own in transformers",
  "clip": "its text decoder (clip_text_model) is no causal language model of its own in transformers",
  "clipseg": "its text decoder (clipseg_text_model) is no causal language model of its own in transformers",
  "codegen": "its attention does not go through the registry of transformers",
  "colpali": "its attention is not causal",
  "cosmos3_edge": "its text decoder (cosmos3_edge_text) is no causal language model of its own in transformers",
  "cpmant": "its attention does not go through the registry of transformers",
  "ctrl": "its forward does not take packed sequences (AssertionError: every supported family has layers that transformers can checkpoint)",
  "data2vec-text": "its attention is not causal",
  "deepseek_ocr2": "its text decoder (deepseek_ocr2_text) is no causal language model of its own in transformers",
  "deepseek_v32": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "deepseek_v4": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "diffusion_gemma": "its text decoder (diffusion_gemma_text) is no causal language model of its own in transformers",
  "doge": "its attention takes a mask of the model's own",
  "dots3_note": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "dots3_note_text": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "electra": "its attention is not causal",
  "embedding_gemma2": "its text decoder (embedding_gemma2_text) is no causal language model of its own in transformers",
  "emu3": "its text decoder (emu3_text_model) is no causal language model of its own in transformers",
  "ernie": "its attention is not causal",
  "ernie4_5_vl_moe": "its text decoder (ernie4_5_vl_moe_text) is no causal language model of its own in transformers",
  "falcon": "its attention does not go through the registry of transformers",
  "flava": "its text decoder (flava_text_model) is no causal language model of its own in transformers",
  "glm46v": "its text decoder (glm4v_text) is no causal language model of its own in transformers",
  "glm4v": "its text decoder (glm4v_text) is no causal language model of its own in transformers",
  "glm4v_moe": "its text decoder (glm4v_moe_text) is no causal language model of its own in transformers",
  "glm5_next": "its text decoder (glm5_next_text) is no causal language model of its own in transformers",
  "glm_image": "its text decoder (glm_image_text) is no causal language model of its own in transformers",
  "glm_moe_dsa": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "glm_ocr": "its text decoder (glm_ocr_text) is no causal language model of its own in transformers",
  "glmga": "its text decoder (glm4v_text) is no causal language model of its own in transformers",
  "gpt_neox_japanese": "its attention does not go through the registry of transformers",
  "gptj": "its attention does not go through the registry of transformers",
  "granite4_vision": "its text decoder (granite4_vision_text) is no causal language model of its own in transformers",
  "granite_docling": "its text decoder (granite_docling_text) is no causal language model of its own in transformers",
  "groupvit": "its text decoder (groupvit_text_model) is no causal language model of its own in transformers",
  "hunyuan_vl": "its text decoder (hunyuan_vl_text) is no causal language model of its own in transformers",
  "hy_v4": "its attention chooses keys by an index (index_topk), which skrull does not know",
  "inkling2": "its attention takes position_bias, sinks, which skrull does not know",
  "inkling2_text": "its attention takes position_bias, sinks, which skrull does not know",
  "inkling_mm_model": "its attention takes position_bias, which skrull does not know",
  "inkling_text": "its attention takes position_bias, which skrull does not know",
  "kosmos-2": "its text decoder (kosmos_2_text_model) is no causal language model of its own in transformers",
  "kosmos-2.5": "its text decoder (kosmos_2_5_text_model) is no causal language model of its own in transformers",
  "llama4": "its attention sees blocks of tokens (chunked_attention), which skrull does not know",
  "llama4_text": "its attention sees blocks of tokens (chunked_attention), which skrull does not know",
  "marian": "it has an encoder besides its decoder",
  "mbart": "it has an encoder besides its decoder",
  "megatron-bert": "its attention does not go through the registry of transformers",
  "metaclip_2": "its text decoder (metaclip_2_text_model) is no causal language model of its own in transformers",
  "minimax_m3_vl": "its attention chooses keys by an index (index_topk_blocks), which skrull does not know",
  "minimax_m3_vl_text": "its attention chooses keys by an index (index_topk_blocks), which skrull does not know",
  "mistral_large4": "its text decoder (mistral_large4_text) is no causal language model of its own in transformers",
  "mllama": "its text decoder (mllama_text_model) is no causal language model of its own in transformers",
  "modernbert-decoder": "its losses and gradients are not those of its own forward",
  "molmo2": "its text decoder (molmo2_text) is no causal language model of its own in transformers",
  "mpt": "its forward does not take packed sequences (AttributeError: 'NoneType' object has no attribute 'to')",
  "muse_glimmer": "its text decoder (muse_glimmer_text) is no causal language model of its own in transformers",
  "muse_spark": "its text decoder (muse_spark_text) is no causal language model of its own in transformers",
  "musicgen": "its text decoder (musicgen_decoder) is no causal language model of its own in transformers",
  "musicgen_melody": "its text decoder (musicgen_melody_decoder) is no causal language model of its own in transformers",
  "mvp": "it has an encoder besides its decoder",
  "openai-gpt": "its attention does not go through the registry of transformers",
  "owlv2": "its text decoder (owlv2_text_model) is no causal language model of its own in transformers",
  "owlvit": "its text decoder (owlvit_text_model) is no causal language model of its own in transformers",
  "paddleocr_vl": "its text decoder (paddleocr_vl_text) is no causal language model of its own in transformers",
  "paligemma": "its attention is not causal",
  "pegasus": "it has an encoder besides its decoder",
  "phimoe": "its training draws random numbers: another run of the same tokens has other losses",
  "plbart": "it has an encoder besides its decoder",
  "prophetnet": "it has an encoder besides its decoder",
  "qwen2_5_omni": "its text decoder (qwen2_5_omni_text) is no causal language model of its own in transformers",
  "qwen2_5_omni_thinker": "its text decoder (qwen2_5_omni_text) is no causal language model of its own in transformers",
  "qwen3_omni_moe": "its text decoder (qwen3_omni_moe_text) is no causal language model of its own in transformers",
  "qwen3_omni_moe_thinker": "its text decoder (qwen3_omni_moe_text) is no causal language model of its own in transformers",
  "qwen3_vl_moe": "its text decoder (qwen3_vl_moe_text) is no causal language model of its own in transformers",
  "recurrent_gemma": "its losses and gradients are not those of its own forward",
  "rembert": "its forward does not take packed sequences (RuntimeError: mat1 and mat2 shapes cannot be multiplied (16x64 and 1664x96))",
  "roberta": "its attention is not causal",
  "roberta-prelayernorm": "its attention is not causal",
  "roc_bert": "its attention is not causal",
  "roformer": "its attention does not go through the registry of transformers",
  "sam3": "its text decoder (clip_text_model) is no causal language model of its own in transformers",
  "sam3_lite_text": "its text decoder (sam3_lite_text_text_model) is no causal language model of its own in transformers",
  "siglip": "its text decoder (siglip_text_model) is no causal language model of its own in transformers",
  "siglip2": "its text decoder (siglip2_text_model) is no causal language model of its own in transformers",
  "t5gemma2_encoder": "its text decoder (t5gemma2_text) is no causal language model of its own in transformers",
  "tipsv2": "its text decoder (tipsv2_text_model) is no causal language model of its own in transformers",
  "unlimited_ocr": "its text decoder (unlimited_ocr_text) is no causal language model of its own in transformers",
  "videoprism": "its text decoder (videoprism_text_model) is no causal language model of its own in transformers",
  "vision-text-dual-encoder": "its attention is not causal",
  "voxtral_realtime": "its text decoder (voxtral_realtime_text) is no causal language model of its own in transformers",
  "whisper": "it has an encoder besides its decoder",
  "xclip": "its text decoder (xclip_text_model) is no causal language model of its own in transformers",
  "xglm": "its attention does not go through the registry of transformers",
  "xlm-roberta": "its attention is not causal",
  "xlm-roberta-xl": "its attention is not causal"
} as const;

/** Of a configuration that trains: its text decoder's type, and kinds of layers and rotary embeddings. */
export interface TestedKinds {
  readonly text: string;
  readonly layers: readonly string[];
  readonly rope: readonly string[];
}

/** What has been tested of models of these types. */
export const TAKEN: Readonly<Record<string, readonly TestedKinds[]>> = {
  "afmoe": [
    {
      "text": "afmoe",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "apertus": [
    {
      "text": "apertus",
      "layers": [],
      "rope": [
        "llama3"
      ]
    }
  ],
  "arcee": [
    {
      "text": "arcee",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "aria": [
    {
      "text": "aria_text",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "aria_text": [
    {
      "text": "aria_text",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "audioflamingo3": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "axk1": [
    {
      "text": "axk1",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "aya_vision": [
    {
      "text": "cohere2",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "bamba": [
    {
      "text": "bamba",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "beam": [
    {
      "text": "beam",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "biogpt": [
    {
      "text": "biogpt",
      "layers": [],
      "rope": []
    }
  ],
  "bitnet": [
    {
      "text": "bitnet",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "blip-2": [
    {
      "text": "opt",
      "layers": [],
      "rope": []
    }
  ],
  "cohere": [
    {
      "text": "cohere",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "cohere2": [
    {
      "text": "cohere2",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "cohere2_moe": [
    {
      "text": "cohere2_moe",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "cohere2_vision": [
    {
      "text": "cohere2",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "colqwen2": [
    {
      "text": "colqwen2",
      "layers": [],
      "rope": []
    }
  ],
  "cosmos3_omni": [
    {
      "text": "qwen3_vl_text",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "cwm": [
    {
      "text": "cwm",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "llama3"
      ]
    }
  ],
  "deepseek_v2": [
    {
      "text": "deepseek_v2",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "deepseek_v3": [
    {
      "text": "deepseek_v3",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "deepseek_v3",
      "layers": [],
      "rope": [
        "yarn"
      ]
    }
  ],
  "deepseek_vl": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "deepseek_vl_hybrid": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "diffllama": [
    {
      "text": "diffllama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "dots1": [
    {
      "text": "dots1",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "ernie4_5": [
    {
      "text": "ernie4_5",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "ernie4_5_moe": [
    {
      "text": "ernie4_5_moe",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "exaone4": [
    {
      "text": "exaone4",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "exaone4_5": [
    {
      "text": "exaone4",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "exaone_moe": [
    {
      "text": "exaone_moe",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "falcon_h1": [
    {
      "text": "falcon_h1",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "falcon_mamba": [
    {
      "text": "falcon_mamba",
      "layers": [],
      "rope": []
    }
  ],
  "fast_vlm": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "flex_olmo": [
    {
      "text": "flex_olmo",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "flint": [
    {
      "text": "flint",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "fun_asr_nano": [
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "fuyu": [
    {
      "text": "persimmon",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "gemma": [
    {
      "text": "gemma",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "gemma2": [
    {
      "text": "gemma2",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "gemma3": [
    {
      "text": "gemma3_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "gemma3_text": [
    {
      "text": "gemma3_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    },
    {
      "text": "gemma3_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "linear"
      ]
    }
  ],
  "gemma3n": [
    {
      "text": "gemma3n_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "gemma3n_text": [
    {
      "text": "gemma3n_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "gemma4": [
    {
      "text": "gemma4_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "proportional"
      ]
    }
  ],
  "gemma4_text": [
    {
      "text": "gemma4_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "proportional"
      ]
    }
  ],
  "gemma4_unified": [
    {
      "text": "gemma4_unified_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "proportional"
      ]
    }
  ],
  "gemma4_unified_text": [
    {
      "text": "gemma4_unified_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "proportional"
      ]
    }
  ],
  "glm": [
    {
      "text": "glm",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "glm4": [
    {
      "text": "glm4",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "glm4_moe": [
    {
      "text": "glm4_moe",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "glm4_moe_lite": [
    {
      "text": "glm4_moe_lite",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "glmasr": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "got_ocr2": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "gpt-sw3": [
    {
      "text": "gpt2",
      "layers": [],
      "rope": []
    }
  ],
  "gpt2": [
    {
      "text": "gpt2",
      "layers": [],
      "rope": []
    }
  ],
  "gpt_bigcode": [
    {
      "text": "gpt_bigcode",
      "layers": [],
      "rope": []
    }
  ],
  "gpt_neox": [
    {
      "text": "gpt_neox",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "gpt_oss": [
    {
      "text": "gpt_oss",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "yarn"
      ]
    }
  ],
  "granite": [
    {
      "text": "granite",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "granite_speech": [
    {
      "text": "granite",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "granite_speech_plus": [
    {
      "text": "granite",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "granite_swa": [
    {
      "text": "granite_swa",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "granitemoe": [
    {
      "text": "granitemoe",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "granitemoe_swa": [
    {
      "text": "granitemoe_swa",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "granitemoehybrid": [
    {
      "text": "granitemoehybrid",
      "layers": [
        "attention",
        "mamba"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "granitemoeshared": [
    {
      "text": "granitemoeshared",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "helium": [
    {
      "text": "helium",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "hrm_text": [
    {
      "text": "hrm_text",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "hunyuan_v1_dense": [
    {
      "text": "hunyuan_v1_dense",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "hunyuan_v1_moe": [
    {
      "text": "hunyuan_v1_moe",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "hy_v3": [
    {
      "text": "hy_v3",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "hyperclovax": [
    {
      "text": "hyperclovax",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "hyperclovax_vision_v2": [
    {
      "text": "hyperclovax",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "idefics2": [
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "idefics3": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "instructblip": [
    {
      "text": "opt",
      "layers": [],
      "rope": []
    }
  ],
  "instructblipvideo": [
    {
      "text": "opt",
      "layers": [],
      "rope": []
    }
  ],
  "internlm3": [
    {
      "text": "internlm3",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "internvl": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "iquestcoder": [
    {
      "text": "iquestcoder",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "jais2": [
    {
      "text": "jais2",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "jamba": [
    {
      "text": "jamba",
      "layers": [],
      "rope": []
    }
  ],
  "janus": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "jetmoe": [
    {
      "text": "jetmoe",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "jev": [
    {
      "text": "qwen3_5_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "kimi_k25": [
    {
      "text": "deepseek_v3",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "kimi_linear": [
    {
      "text": "kimi_linear",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": []
    }
  ],
  "kolibri1": [
    {
      "text": "kolibri1",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "laguna": [
    {
      "text": "laguna",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "lfm2": [
    {
      "text": "lfm2",
      "layers": [
        "conv",
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "lfm2_moe": [
    {
      "text": "lfm2_moe",
      "layers": [
        "conv",
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "lfm2_vl": [
    {
      "text": "lfm2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "lfm3": [
    {
      "text": "lfm3",
      "layers": [
        "conv",
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "proportional"
      ]
    }
  ],
  "lfm3_vl": [
    {
      "text": "lfm3",
      "layers": [
        "conv",
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default",
        "proportional"
      ]
    }
  ],
  "lighton_ocr": [
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "llama": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "yarn"
      ]
    },
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "linear"
      ]
    },
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "dynamic"
      ]
    }
  ],
  "llava": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "llava_next": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "llava_next_video": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "llava_onevision": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "mamba": [
    {
      "text": "mamba",
      "layers": [],
      "rope": []
    }
  ],
  "mellum": [
    {
      "text": "mellum",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "minicpm3": [
    {
      "text": "minicpm3",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "minicpm_ocr": [
    {
      "text": "qwen3_5_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "minicpmv4_6": [
    {
      "text": "qwen3_5_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "minicpmv4_7": [
    {
      "text": "qwen3_5_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "minimax": [
    {
      "text": "minimax",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "minimax_m2": [
    {
      "text": "minimax_m2",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "ministral": [
    {
      "text": "ministral",
      "layers": [
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "ministral3": [
    {
      "text": "ministral3",
      "layers": [],
      "rope": [
        "yarn"
      ]
    }
  ],
  "mistral": [
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "yarn"
      ]
    },
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "linear"
      ]
    },
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "dynamic"
      ]
    }
  ],
  "mistral3": [
    {
      "text": "mistral",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "mixtral": [
    {
      "text": "mixtral",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "mixtral",
      "layers": [],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "mixtral",
      "layers": [],
      "rope": [
        "linear"
      ]
    }
  ],
  "moshi": [
    {
      "text": "moshi",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "moss_transcribe_diarize": [
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "musicflamingo": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "nanochat": [
    {
      "text": "nanochat",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "nemo_speechlm": [
    {
      "text": "nemotron_h",
      "layers": [],
      "rope": []
    }
  ],
  "nemotron": [
    {
      "text": "nemotron",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "nemotron_h": [
    {
      "text": "nemotron_h",
      "layers": [],
      "rope": []
    }
  ],
  "nemotron_h_omni": [
    {
      "text": "nemotron_h",
      "layers": [],
      "rope": []
    }
  ],
  "olmo": [
    {
      "text": "olmo",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "olmo2": [
    {
      "text": "olmo2",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "olmo3": [
    {
      "text": "olmo3",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "olmo_hybrid": [
    {
      "text": "olmo_hybrid",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "olmoe": [
    {
      "text": "olmoe",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "opt": [
    {
      "text": "opt",
      "layers": [],
      "rope": []
    }
  ],
  "ovis2": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "perception_lm": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "persimmon": [
    {
      "text": "persimmon",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "phi": [
    {
      "text": "phi",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "phi3": [
    {
      "text": "phi3",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "phi3",
      "layers": [],
      "rope": [
        "longrope"
      ]
    }
  ],
  "pp_chart2table": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qianfan_ocr": [
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen2": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    },
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "yarn"
      ]
    },
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "linear"
      ]
    },
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "dynamic"
      ]
    }
  ],
  "qwen2_5_vl": [
    {
      "text": "qwen2_5_vl_text",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen2_audio": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen2_moe": [
    {
      "text": "qwen2_moe",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen2_vl": [
    {
      "text": "qwen2_vl_text",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3": [
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    },
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "yarn"
      ]
    },
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "linear"
      ]
    },
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "dynamic"
      ]
    }
  ],
  "qwen3_5": [
    {
      "text": "qwen3_5_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3_5_moe": [
    {
      "text": "qwen3_5_moe_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3_5_moe_text": [
    {
      "text": "qwen3_5_moe_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3_5_text": [
    {
      "text": "qwen3_5_text",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3_asr": [
    {
      "text": "qwen3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3_moe": [
    {
      "text": "qwen3_moe",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "qwen3_moe",
      "layers": [],
      "rope": [
        "yarn"
      ]
    },
    {
      "text": "qwen3_moe",
      "layers": [],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "qwen3_moe",
      "layers": [],
      "rope": [
        "linear"
      ]
    },
    {
      "text": "qwen3_moe",
      "layers": [],
      "rope": [
        "dynamic"
      ]
    }
  ],
  "qwen3_next": [
    {
      "text": "qwen3_next",
      "layers": [
        "full_attention",
        "linear_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "qwen3_vl": [
    {
      "text": "qwen3_vl_text",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "seed_oss": [
    {
      "text": "seed_oss",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "shieldgemma2": [
    {
      "text": "gemma3_text",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "smollm3": [
    {
      "text": "smollm3",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "smolvlm": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "solar_open": [
    {
      "text": "solar_open",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "stablelm": [
    {
      "text": "stablelm",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "starcoder2": [
    {
      "text": "starcoder2",
      "layers": [],
      "rope": [
        "default"
      ]
    },
    {
      "text": "starcoder2",
      "layers": [],
      "rope": [
        "yarn"
      ]
    },
    {
      "text": "starcoder2",
      "layers": [],
      "rope": [
        "llama3"
      ]
    },
    {
      "text": "starcoder2",
      "layers": [],
      "rope": [
        "linear"
      ]
    },
    {
      "text": "starcoder2",
      "layers": [],
      "rope": [
        "dynamic"
      ]
    }
  ],
  "vaultgemma": [
    {
      "text": "vaultgemma",
      "layers": [
        "full_attention",
        "sliding_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "vibevoice": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "vibevoice_asr": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "video_llama_3": [
    {
      "text": "qwen2",
      "layers": [
        "full_attention"
      ],
      "rope": [
        "default"
      ]
    }
  ],
  "video_llava": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "vipllava": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "voxtral": [
    {
      "text": "llama",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "youtu": [
    {
      "text": "youtu",
      "layers": [],
      "rope": [
        "default"
      ]
    }
  ],
  "zaya": [
    {
      "text": "zaya",
      "layers": [
        "hybrid"
      ],
      "rope": [
        "default"
      ]
    }
  ]
};
