"""Names for JSON objects that several packages hand around and whose keys no type of ours lists."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]  # a parsed object, whatever its keys
DeepSpeedConfig = dict[str, Any]  # ds_config.json, by DeepSpeed's own keys
