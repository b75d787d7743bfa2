// Generated from contract/model-description.schema.json by scripts/generate-contract.mjs. Do not edit.

export const DESCRIPTION_SCHEMA = {
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "What the runtime says of a model whose configuration the compiler's own reader does not know",
  "$ref": "#/definitions/ModelDescription",
  "definitions": {
    "ModelDescription": {
      "description": "Dimensions of a model, found in the model itself.",
      "type": "object",
      "required": [
        "format_version",
        "transformers",
        "model_type",
        "max_positions",
        "rope",
        "router_loss",
        "shape",
        "matrices"
      ],
      "properties": {
        "format_version": {
          "type": "integer",
          "minimum": 1,
          "maximum": 1
        },
        "transformers": {
          "type": "string",
          "description": "Version that made the model."
        },
        "model_type": {
          "type": "string",
          "description": "Of the text decoder."
        },
        "max_positions": {
          "type": [
            "integer",
            "null"
          ],
          "minimum": 1,
          "maximum": 9007199254740991,
          "description": "Positions that the configuration says the model was made for."
        },
        "rope": {
          "type": "array",
          "items": {
            "type": "string"
          },
          "description": "Kinds of rotary embeddings."
        },
        "router_loss": {
          "type": "boolean",
          "description": "Whether the load-balancing loss of experts is trained."
        },
        "shape": {
          "$ref": "#/definitions/DescribedShape"
        },
        "matrices": {
          "type": "array",
          "items": {
            "$ref": "#/definitions/DescribedMatrix"
          },
          "description": "Matrices of layers that can have adapters."
        }
      }
    },
    "DescribedShape": {
      "description": "What cost and memory depend on.",
      "type": "object",
      "required": [
        "hidden_size",
        "layers",
        "heads",
        "kv_heads",
        "head_dim",
        "intermediate_size",
        "gated_mlp",
        "layer_norm",
        "query_key_norm",
        "tied_embeddings",
        "experts",
        "sliding_window",
        "vocab_size",
        "parameters"
      ],
      "properties": {
        "hidden_size": {
          "$ref": "#/definitions/Count"
        },
        "layers": {
          "$ref": "#/definitions/Count"
        },
        "heads": {
          "$ref": "#/definitions/Count"
        },
        "kv_heads": {
          "$ref": "#/definitions/Count"
        },
        "head_dim": {
          "$ref": "#/definitions/Count"
        },
        "value_dim": {
          "$ref": "#/definitions/Count",
          "description": "Width of a value head, where it is not that of a key."
        },
        "intermediate_size": {
          "$ref": "#/definitions/Count"
        },
        "gated_mlp": {
          "type": "boolean"
        },
        "layer_norm": {
          "type": "boolean"
        },
        "query_key_norm": {
          "type": "boolean"
        },
        "tied_embeddings": {
          "type": "boolean"
        },
        "experts": {
          "anyOf": [
            {
              "$ref": "#/definitions/DescribedExperts"
            },
            {
              "type": "null"
            }
          ]
        },
        "sliding_window": {
          "anyOf": [
            {
              "$ref": "#/definitions/DescribedWindow"
            },
            {
              "type": "null"
            }
          ]
        },
        "vocab_size": {
          "$ref": "#/definitions/Count"
        },
        "parameters": {
          "$ref": "#/definitions/Count"
        },
        "mixer_layers": {
          "$ref": "#/definitions/Count",
          "description": "Layers that mix the tokens of a sequence in order, without attention: its sequences stay whole."
        },
        "attention_parameters": {
          "type": "number",
          "minimum": 1,
          "description": "Of a layer's attention, the mean over layers, where heads and widths do not say."
        }
      }
    },
    "Count": {
      "type": "integer",
      "minimum": 1,
      "maximum": 9007199254740991
    },
    "DescribedExperts": {
      "description": "Mixture-of-experts layers.",
      "type": "object",
      "required": [
        "layers",
        "count",
        "active",
        "width"
      ],
      "properties": {
        "layers": {
          "$ref": "#/definitions/Count"
        },
        "count": {
          "$ref": "#/definitions/Count"
        },
        "active": {
          "$ref": "#/definitions/Count"
        },
        "width": {
          "$ref": "#/definitions/Count"
        },
        "shared": {
          "$ref": "#/definitions/Count",
          "description": "Width of the experts that every token passes through, together."
        }
      }
    },
    "DescribedWindow": {
      "description": "Layers whose tokens attend to the nearest tokens only.",
      "type": "object",
      "required": [
        "tokens",
        "layers"
      ],
      "properties": {
        "tokens": {
          "$ref": "#/definitions/Count"
        },
        "layers": {
          "$ref": "#/definitions/Count"
        }
      }
    },
    "DescribedMatrix": {
      "description": "Matrices of one name, one size and one use, over all layers.",
      "type": "object",
      "additionalProperties": false,
      "required": [
        "name",
        "kind",
        "inputs",
        "outputs",
        "count"
      ],
      "properties": {
        "name": {
          "type": "string",
          "description": "Of the module or parameter itself."
        },
        "kind": {
          "enum": [
            "attention",
            "mlp",
            "experts",
            "router"
          ]
        },
        "inputs": {
          "$ref": "#/definitions/Count"
        },
        "outputs": {
          "$ref": "#/definitions/Count"
        },
        "count": {
          "$ref": "#/definitions/Count"
        },
        "stacked": {
          "$ref": "#/definitions/Count",
          "description": "Experts whose matrices are one parameter."
        }
      }
    }
  }
} as const;
