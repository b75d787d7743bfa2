"""A configuration made small: few layers that have every kind, and narrow ones, with the ratios that decide what a model does.

Names are those of transformers' configurations. What no rule here knows stays as it is; whoever builds the model looks at
its size first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ..shapes import JsonObject

HEAD = 16  # width of a head
VOCABULARY = 96
WINDOW = 9  # tokens, shorter than most sequences of the check
CHUNK = 12
ORIGINAL = 24  # positions that a model with scaled rotary embeddings was made for: some sequences are longer
EXPERTS = 4
SOFTCAP = 5.0  # low enough to bend what random weights give
WIDTH = 48  # of what stands between two matrices

# What each key becomes, whatever else the configuration has: the first pattern that matches the whole name.
RULES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    (r"vocab_size(_per_layer_input)?", lambda own: min(own, VOCABULARY)),
    (r".*_token_(id|index)", lambda own: min(own, VOCABULARY - 1)),
    (r".*intermediate_size(_mlp)?|ffn_dim|n_inner|ffn_hidden_size|d_ff|.*_ffn_dim", lambda own: min(own, WIDTH)),
    (r"sliding_window|local_attention|window_size", lambda own: min(own, WINDOW)),
    (r"attention_chunk_size", lambda own: min(own, CHUNK)),
    (r".*softcap(ping)?", lambda own: min(own, SOFTCAP)),
    (r"num_(local_|routed_)?experts|n_routed_experts|moe_num_experts|num_moe_experts", lambda own: min(own, 2 * EXPERTS)),
    (r"n_group|topk_group", lambda own: min(own, 2)),
    (r"num_experts_per_tok(en)?|moe_topk|moe_k|top_k_experts|num_selected_experts", lambda own: min(own, 2)),
    (r"n_shared_experts|num_shared_experts", lambda own: min(own, 1)),
    (r"first_k_dense_replace|num_dense_layers", lambda own: min(own, 1)),
    (r"q_lora_rank|o_lora_rank", lambda own: min(own, 24)),
    (r"kv_lora_rank", lambda own: min(own, 20)),
    (r"qk_nope_head_dim", lambda own: min(own, HEAD)),
    (r"qk_rope_head_dim", lambda own: min(own, HEAD // 2)),
    (r"v_head_dim", lambda own: min(own, HEAD - 4)),
    (r"query_pre_attn_scalar", lambda own: min(own, 2 * HEAD)),
    (r"linear_num_key_heads|linear_num_heads", lambda own: min(own, 2)),
    (r"linear_num_value_heads", lambda own: min(own, 4)),
    (r"linear_(key_|value_)?head_dim|linear_attn_head_dim", lambda own: min(own, HEAD)),
    (r"(mamba_)?(d_state|state_size|ssm_state_size)|mamba_d_state", lambda own: min(own, HEAD)),
    (r"(mamba_)?chunk_size", lambda own: min(own, HEAD)),
    (r"(mamba_)?(n_groups|ngroups)", lambda own: min(own, 2)),
    (r"(mamba_)?(dt_rank|time_step_rank)", lambda own: min(own, 8)),
    (r"rotary_dim", lambda own: min(own, HEAD // 2)),
    (r"expert_ffn_hidden_size", lambda own: min(own, WIDTH)),
    (r"zero_expert_num", lambda own: min(own, 2)),
    (r"laurel_rank|hidden_size_per_layer_input|per_layer_input_size", lambda own: min(own, HEAD)),
    (r"num_nextn_predict_layers|num_mtp_layers", lambda own: 0),
)  # fmt: skip

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
HIDDEN = ("hidden_size", "n_embd", "d_model")
HEADS = ("num_attention_heads", "n_head", "n_heads")
POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx")


def shrunk(config: JsonObject) -> JsonObject:
    """The same model, small. ``config``: all that transformers knows of it (``to_dict``)."""
    small = {name: _by_rule(name, own) for name, own in config.items()}
    _shrink_layers(small, config)
    _shrink_heads(small, config)
    _shrink_states(small, config)
    _shrink_positions(small, config)
    small["use_cache"] = False
    return small


def _by_rule(name: str, value: Any) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    for pattern, rule in RULES if number else ():
        if re.fullmatch(pattern, name):
            return rule(value)
    return value


def _first(config: JsonObject, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if isinstance(config.get(name), int)), None)


def _shrink_layers(small: JsonObject, config: JsonObject) -> None:
    """As few layers as have every combination of what lists say of each, and at least two."""
    key = _first(config, LAYERS)
    if key is None:
        return
    count = config[key]
    of_layers = {
        name: own
        for name, own in config.items()
        if isinstance(own, list) and len(own) == count and count > 1 and name != "architectures"
    }
    kept = _kept(config, of_layers, count)
    small[key] = len(kept)
    shared = config.get("num_kv_shared_layers") or 0
    if shared:
        small["num_kv_shared_layers"] = sum(at >= count - shared for at in kept)
    for name, own in config.items():
        if name in of_layers:
            small[name] = [own[at] for at in kept]
        elif isinstance(own, list) and _are_indices(name, own, count):
            small[name] = [new for new, old in enumerate(kept) if old in own]
        elif isinstance(own, dict) and own and all(str(at).isdecimal() for at in own):
            small[name] = {
                new: own[at] for at in own for new, old in enumerate(kept) if old == int(at)
            }
    if isinstance(config.get("max_window_layers"), int):
        small["max_window_layers"] = min(config["max_window_layers"], len(kept) - 1)


def _kept(config: JsonObject, of_layers: dict[str, list[Any]], count: int) -> list[int]:
    """The layers that remain. Those that share keys with earlier ones, and dense ones before experts, count as kinds."""
    shared = config.get("num_kv_shared_layers") or 0
    dense = config.get("first_k_dense_replace") or 0
    edges = sorted({0, count, min(dense, count), max(0, count - shared)})
    found = [at for first, end in pairwise(edges) for at in _cover(of_layers, range(first, end))]
    return found if len(found) > 1 else list(range(min(count, 2)))


def _are_indices(name: str, own: list[Any], count: int) -> bool:
    """Whether a list says which layers are of a kind."""
    whole = all(
        isinstance(each, int) and not isinstance(each, bool) and 0 <= each < count for each in own
    )
    return whole and bool(re.search(r"layers?(_idxs?|_ids|_indices)?$|_idxs?$", name))


def _cover(of_layers: dict[str, list[Any]], layers: range) -> list[int]:
    """The first layer of every combination."""
    kinds: dict[str, int] = {}
    for at in layers:
        kinds.setdefault(repr([own[at] for own in of_layers.values()]), at)
    chosen = list(kinds.values())
    return sorted(chosen[:4])


def _shrink_heads(small: JsonObject, config: JsonObject) -> None:
    """Heads by the ratio of query to key heads; the hidden size stays their width together, or something else."""
    hidden, heads = _first(config, HIDDEN), _first(config, HEADS)
    if hidden is None or heads is None:
        return
    count, size = max(1, config[heads]), config[hidden]
    groups = config.get("num_key_value_heads")
    groups = groups if isinstance(groups, int) and groups > 0 else None
    key_heads = count if groups is None else groups
    few = min(key_heads, 2) if key_heads < count else min(count, 4)
    ratio = min(max(1, count // key_heads), 3)
    small[heads] = few * ratio
    if groups is not None:
        small["num_key_value_heads"] = few
    width = config.get("head_dim")
    latent = isinstance(config.get("qk_rope_head_dim"), int)
    own_width = isinstance(width, int) and not latent and width * count != size
    if isinstance(width, int):
        small["head_dim"] = small["qk_rope_head_dim"] if latent else min(width, HEAD)
    head = small["head_dim"] if isinstance(width, int) and not latent else HEAD
    small[hidden] = small[heads] * (head + 4 if own_width else head)
    for name in ("word_embed_proj_dim", "embedding_size", "d_kv"):
        if isinstance(config.get(name), int):
            small[name] = small[hidden] if config[name] == size else head


def _shrink_states(small: JsonObject, config: JsonObject) -> None:
    """Heads of state space layers, whose widths together are a multiple of the hidden size."""
    hidden = _first(config, HIDDEN)
    heads = _first(config, ("mamba_n_heads", "mamba_num_heads", "n_mamba_heads"))
    if hidden is None or heads is None:
        return
    width = _first(config, ("mamba_d_head", "mamba_head_dim", "mamba_headdim"))
    expand = config.get("mamba_expand") or config.get("expand") or 2
    inner = int(expand * small[hidden])
    small[heads] = min(config[heads], 4)
    if width is not None:
        small[width] = inner // small[heads]
    if isinstance(config.get("mamba_d_ssm"), int):
        small["mamba_d_ssm"] = inner


def _shrink_positions(small: JsonObject, config: JsonObject) -> None:
    """A model that scales its rotary embeddings does so within the lengths of the check."""
    rotary = _rotary_width(small)
    longest = _first(config, POSITIONS)
    original = config.get("original_max_position_embeddings")
    if isinstance(original, int):
        small["original_max_position_embeddings"] = min(original, ORIGINAL)
    for name in ("rope_parameters", "rope_scaling"):
        own = config.get(name)
        if not isinstance(own, dict):
            continue
        small[name] = _smaller_rope(own, rotary, small)
        kinds = {
            own.get("rope_type"),
            own.get("type"),
            *(e.get("rope_type") for e in own.values() if isinstance(e, dict)),
        }
        if longest and kinds & {"dynamic", "longrope"}:
            whole = original if isinstance(original, int) else config[longest]
            small[longest] = max(ORIGINAL, round(ORIGINAL * config[longest] / max(1, whole)))
    if longest and small[longest] == config[longest]:
        small[longest] = min(config[longest], 256)


def _rotary_width(small: JsonObject) -> int:
    hidden, heads = _first(small, HIDDEN), _first(small, HEADS)
    width = small.get("head_dim")
    if not isinstance(width, int):
        width = small[hidden] // small[heads] if hidden and heads else HEAD
    return width


def _smaller_rope(own: JsonObject, width: int, small: JsonObject) -> JsonObject:
    result: JsonObject = {}
    part = own.get("partial_rotary_factor") or small.get("partial_rotary_factor") or 1.0
    pairs = max(1, int(width * part) // 2)
    for name, value in own.items():
        if isinstance(value, dict):
            result[name] = _smaller_rope(value, width, small)
        elif name in ("short_factor", "long_factor") and isinstance(value, list):
            result[name] = value[:pairs]
        elif name == "mrope_section" and isinstance(value, list):
            result[name] = _shares(value, pairs)
        elif name == "original_max_position_embeddings" and isinstance(value, int):
            result[name] = min(value, ORIGINAL)
        else:
            result[name] = value
    return result


def _shares(parts: list[int], total: int) -> list[int]:
    """Whole numbers in about the same ratio, with this sum."""
    whole = max(1, sum(parts))
    made = [max(1, part * total // whole) for part in parts]
    made[-1] += total - sum(made)
    return made
