"""``python -m skrull_runtime.convert_checkpoint``: DeepSpeed's conversion to a universal checkpoint, which unpickles
only what our own runs write."""

from __future__ import annotations

from deepspeed.checkpoint import ds_to_universal

from .unpickling import restricted

if __name__ == "__main__":
    with restricted():
        ds_to_universal.main(ds_to_universal.parse_arguments())
