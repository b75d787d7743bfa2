"""Writes the closed JSON Schema with which emitted DeepSpeed configurations are checked.

DeepSpeed ignores unknown top-level keys, and typos in several sections (DeepSpeed#774, #1809), so the
schema is ours: closed at every level, derived from the installed DeepSpeed's own models and key constants.
Run it as ``python python/tools/deepspeed_schema.py [--check]``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import deepspeed
from deepspeed.comm.config import CommsLoggerConfig
from deepspeed.compile.config import CompileConfig
from deepspeed.monitor.config import CSVConfig, TensorBoardConfig, WandbConfig
from deepspeed.runtime import constants
from deepspeed.runtime.activation_checkpointing import config as activation_checkpointing
from deepspeed.runtime.precision_config import DeepSpeedBF16Config, DeepSpeedFP16Config
from deepspeed.runtime.swap_tensor import constants as aio
from deepspeed.runtime.zero.config import DeepSpeedZeroConfig
from pydantic import TypeAdapter

TARGET = Path(__file__).resolve().parents[2] / "schemas" / "deepspeed-config.schema.json"

Schema = dict[str, Any]  # by keyword or by property
annotated: Any = Annotated  # mypy takes a subscript of it for a type

BOOLEAN = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 0}
POSITIVE = {"type": "integer", "minimum": 1}
NUMBER = {"type": "number"}
TEXT = {"type": "string"}

MODELS = {
    "zero_optimization": DeepSpeedZeroConfig,
    "bf16": DeepSpeedBF16Config,
    "fp16": DeepSpeedFP16Config,
    "tensorboard": TensorBoardConfig,
    "wandb": WandbConfig,
    "csv_monitor": CSVConfig,
    "comms_logger": CommsLoggerConfig,
    "compile": CompileConfig,
}


def closed(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    """An object schema that refuses every key that is not listed."""
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def plain_keys() -> Schema:
    """Sections that DeepSpeed reads by key, without a model that would reject typos."""
    c, act = constants, activation_checkpointing
    return {
        c.TRAIN_BATCH_SIZE: POSITIVE,
        c.TRAIN_MICRO_BATCH_SIZE_PER_GPU: POSITIVE,
        c.GRADIENT_ACCUMULATION_STEPS: POSITIVE,
        c.MANAGED_GRADIENT_ACCUMULATION: BOOLEAN,
        c.GRADIENT_CLIPPING: {"type": "number", "minimum": 0},
        c.STEPS_PER_PRINT: POSITIVE,
        c.WALL_CLOCK_BREAKDOWN: BOOLEAN,
        c.MEMORY_BREAKDOWN: BOOLEAN,
        c.DUMP_STATE: BOOLEAN,
        c.PRESCALE_GRADIENTS: BOOLEAN,
        c.GRADIENT_PREDIVIDE_FACTOR: NUMBER,
        c.COMMUNICATION_DATA_TYPE: {"enum": ["fp16", "bf16", "fp32"]},
        c.ZERO_ALLOW_UNTESTED_OPTIMIZER: BOOLEAN,
        c.ZERO_FORCE_DS_CPU_OPTIMIZER: BOOLEAN,
        c.DATA_TYPES: closed({c.GRAD_ACCUM_DTYPE: {"enum": ["fp16", "bf16", "fp32"]}}),
        c.CHECKPOINT: closed(
            {
                c.CHECKPOINT_TAG_VALIDATION: {"enum": ["Ignore", "Warn", "Fail"]},
                c.LOAD_UNIVERSAL_CHECKPOINT: BOOLEAN,
                c.USE_NODE_LOCAL_STORAGE_CHECKPOINT: BOOLEAN,
            }
        ),
        act.ACT_CHKPT: closed(
            {
                act.ACT_CHKPT_PARTITION_ACTIVATIONS: BOOLEAN,
                act.ACT_CHKPT_CPU_CHECKPOINTING: BOOLEAN,
                act.ACT_CHKPT_CONTIGUOUS_MEMORY_OPTIMIZATION: BOOLEAN,
                act.ACT_CHKPT_SYNCHRONIZE_CHECKPOINT_BOUNDARY: BOOLEAN,
                act.ACT_CHKPT_PROFILE: BOOLEAN,
                act.ACT_CHKPT_NUMBER_CHECKPOINTS: POSITIVE,
            }
        ),
        aio.AIO: closed(
            {
                aio.AIO_BLOCK_SIZE: POSITIVE,
                aio.AIO_QUEUE_DEPTH: POSITIVE,
                aio.AIO_INTRA_OP_PARALLELISM: POSITIVE,
                aio.AIO_SINGLE_SUBMIT: BOOLEAN,
                aio.AIO_OVERLAP_EVENTS: BOOLEAN,
            }
        ),
    }


def tidy(schema: Any) -> Any:
    """Closes every object, and drops titles, prose and defaults."""
    if isinstance(schema, list):
        return [tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        k: tidy(v)
        for k, v in schema.items()
        if k not in {"title", "description", "default", "format"}
    }
    if "enum" in schema:
        # An alias in an enumeration repeats its value.
        kept["enum"] = sorted(set(schema["enum"]), key=str)
    if isinstance(schema.get("properties"), dict):
        kept["properties"] = {
            key: tidy(value) for key, value in sorted(schema["properties"].items())
        }
        kept["additionalProperties"] = False
    return kept


def section(name: str, model: Any) -> tuple[Schema, Schema]:
    """The schema of one modelled section, and the definitions that it refers to, made unique by its name.

    It goes field by field: the model's own schema cannot be made, because deprecated fields carry functions.
    """
    properties: Schema = {}
    definitions: Schema = {}
    for key, field in sorted(model.model_fields.items()):
        if (field.json_schema_extra or {}).get("deprecated"):
            continue
        kind = field.annotation
        if field.metadata:
            parts = (kind, *field.metadata)
            kind = annotated[parts]
        schema = TypeAdapter(kind).json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        found = schema.pop("$defs", {})
        definitions.update({f"{name}.{k}": tidy(v) for k, v in found.items()})
        properties[field.alias or key] = tidy(schema)
    return closed(properties), definitions


def build() -> Schema:
    """The whole schema, with sorted keys."""
    properties = plain_keys()
    definitions: Schema = {}
    for name, model in MODELS.items():
        properties[name], found = section(name, model)
        definitions.update(found)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": f"Generated from DeepSpeed {deepspeed.__version__} by python/tools/deepspeed_schema.py. Do not edit.",
        **closed(dict(sorted(properties.items())), (constants.TRAIN_MICRO_BATCH_SIZE_PER_GPU,)),
        "$defs": dict(sorted(definitions.items())),
    }


def main() -> int:
    """Writes the schema; with ``--check``, only compares it and returns 1 if the file is not current."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the file is current")
    check = parser.parse_args().check
    text = json.dumps(build(), indent=2) + "\n"
    if check and TARGET.read_text() != text:
        print(
            f"{TARGET.name} is not current: run python python/tools/deepspeed_schema.py",
            file=sys.stderr,
        )
        return 1
    if not check:
        TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
