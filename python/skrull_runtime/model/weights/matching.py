"""Which stored tensors become which parameters, and whether they are exactly those of the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import (
    WeightConverter,
    WeightRenaming,
    dot_natural_key,
    rename_source_key,
)

from ...errors import UserError
from .files import TYPES, PretrainedFiles

# Stored by earlier versions of libraries but now computed: dropped silently.
HARMLESS = re.compile(r"(^|\.)(rotary_emb\.inv_freq|masked_bias|position_ids)$")
PART = re.compile(r"^(model\.)?language_model\.")  # before the names of a text decoder
WHOLE = ("model.layers.", "model.embed_tokens.", "model.norm.", "lm_head.")
NAMES_SHOWN = 10
LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")


@dataclass
class Sources:
    """What a parameter is made of: one stored tensor, or several that a converter of transformers combines."""

    keys: list[tuple[str, str | None]] = field(default_factory=list)  # with the converter's pattern
    converter: WeightConverter | None = None


class Matching:
    """The parameters of a model, each with its stored tensors, as transformers itself would load them."""

    def __init__(
        self,
        model: PreTrainedModel,
        files: PretrainedFiles,
        of_parts: bool = False,
        growing: Sequence[str] = (),
    ):
        """``of_parts``: whether the files are of a model that has this one as its text decoder. ``growing``: parameters that
        may have more rows than are stored."""
        self._growing = set(growing)
        self.model, self.files, self._of_parts = model, files, of_parts
        self.expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        self.sources: dict[str, Sources] = {}
        self.unexpected: list[str] = []
        self._match()
        self._tie()

    def _match(self) -> None:
        transforms = get_model_conversion_mapping(self.model)
        renamings = [each for each in transforms if isinstance(each, WeightRenaming)]
        converters = [each for each in transforms if isinstance(each, WeightConverter)]
        by_pattern = {pattern: each for each in converters for pattern in each.source_patterns}
        prefix = self.model.base_model_prefix
        stored = self.files.tensors
        names = text_part(stored) if self._of_parts else {key: key for key in stored}
        for key in sorted(names, key=dot_natural_key):
            named = names[key]
            target, pattern = rename_source_key(named, renamings, converters, prefix, self.expected)
            if target not in self.expected and named in self.expected:
                target, pattern = rename_source_key(named, [], [], prefix, self.expected)
            first = target not in self.sources
            if target not in self.expected or not (first or pattern is not None):
                self.unexpected.append(key)
                continue
            sources = self.sources.setdefault(target, Sources())
            sources.keys.append((key, pattern))
            sources.converter = None if pattern is None else by_pattern[pattern]

    def _tie(self) -> None:
        """A tied parameter has one stored tensor, under either name, or two that are equal."""
        for target, source in self.model.all_tied_weights_keys.items():
            if target in self.sources and source not in self.sources:
                self.sources[source] = self.sources[target]

    @property
    def missing(self) -> list[str]:
        """The parameters without a stored tensor."""
        tied = self.model.all_tied_weights_keys
        return [
            name
            for name in self.expected
            if name not in self.sources and tied.get(name) not in self.sources
        ]

    def require_complete(self) -> None:
        """Raises UserError where a parameter would keep random values, or a stored tensor would be dropped."""
        dropped = [key for key in self.unexpected if not self._is_harmless(key)]
        missing = self.missing
        self._require_types(dropped)
        if missing or dropped:
            found = " and ".join(
                part
                for part in (
                    missing and f"{_listed(missing)} of the model are not in the files",
                    dropped and f"{_listed(dropped)} of the files are not in the model",
                )
                if part
            )
            raise UserError(
                f"the weights of '{self.files.name}' are not those of the model: {found}."
                f" {likely_cause(missing, dropped)}"
            )
        self._require_shapes()
        self._require_ties()

    def _is_harmless(self, key: str) -> bool:
        """Whether transformers itself drops a stored tensor without a word: layers that predict further tokens, say."""
        own = getattr(self.model, "_keys_to_ignore_on_load_unexpected", None) or []
        return bool(HARMLESS.search(key)) or any(re.search(pattern, key) for pattern in own)

    def _require_types(self, dropped: list[str]) -> None:
        used = {key for sources in self.sources.values() for key, _ in sources.keys}
        packed = [key for key in (*used, *dropped) if self.files.tensors[key].type not in TYPES]
        if packed:
            types = ", ".join(sorted({self.files.tensors[key].type for key in packed}))
            raise UserError(
                f"the weights of '{self.files.name}' are quantised: {_listed(sorted(packed))} are of type {types}."
                " Quantised weights cannot be trained: use the model's unquantised weights"
            )

    def _require_shapes(self) -> None:
        problems = [problem for name in self.sources if (problem := self._shape_problem(name))]
        if problems:
            more = f" and {len(problems) - NAMES_SHOWN} more" if len(problems) > NAMES_SHOWN else ""
            raise UserError(
                f"the weights of '{self.files.name}' have other shapes than the model: "
                f"{'; '.join(problems[:NAMES_SHOWN])}{more}."
                " The configuration is of another model, or was changed: use the config.json that came with the weights"
            )

    def _shape_problem(self, name: str) -> str | None:
        sources = self.sources[name]
        stored = [self.files.tensors[key].shape for key, _ in sources.keys]
        try:
            tensors = [torch.empty(shape, device="meta") for shape in stored]
            found = tuple(self._converted(name, tensors).shape)
        except (
            Exception
        ):  # a library's conversion of unexpected tensors raises many kinds of exception
            return f"{name} cannot be made of {len(stored)} tensors of shapes {sorted(set(stored))}"
        wanted = self.expected[name]
        more = len(found) > 0 and 0 < found[0] <= wanted[0] and found[1:] == wanted[1:]
        return (
            None
            if found == wanted or (name in self._growing and more)
            else f"{name} is {list(found)}, not {list(wanted)}"
        )

    def _require_ties(self) -> None:
        for target, source in self.model.all_tied_weights_keys.items():
            first, second = self.sources.get(target), self.sources.get(source)
            if first is None or second is None or first is second:
                continue
            if not torch.equal(self.value(target), self.value(source)):
                raise UserError(
                    f"the configuration ties {target} to {source}, but the weights of '{self.files.name}' have"
                    " different values for them: set tie_word_embeddings to false in config.json"
                )

    def value(self, name: str) -> torch.Tensor:
        """The values of a parameter, on the host, in the type in which they are stored."""
        return self._converted(name, [self.files.read(key) for key, _ in self.sources[name].keys])

    def _converted(self, name: str, tensors: list[torch.Tensor]) -> torch.Tensor:
        sources = self.sources[name]
        if sources.converter is None:
            return tensors[0]
        made_by = sources.converter
        converter = WeightConverter(
            made_by.source_patterns, made_by.target_patterns, made_by.operations
        )
        for (key, pattern), tensor in zip(sources.keys, tensors, strict=True):
            assert pattern is not None, "a converter's tensors have its pattern"
            # transformers states futures here, and takes tensors too.
            converter.add_tensor(name, key, pattern, tensor)  # type: ignore[arg-type]
        found = converter.convert(name, model=self.model, config=self.model.config)[name]
        values: torch.Tensor = found[0] if isinstance(found, list) else found
        return values


def text_part(stored: Iterable[str]) -> dict[str, str]:
    """Of the stored tensors of a model with parts those of its text decoder, and their names there. Some models of pictures
    store their text decoder under no name of its own, as if it were the whole model."""
    stored = list(stored)
    if not any(PART.match(key) for key in stored):
        return {key: key for key in stored if key.startswith(WHOLE)}
    found = {}
    for key in stored:
        if PART.match(key):
            rest = PART.sub("", key)
            found[key] = rest if rest.startswith(("model.", "lm_head.")) else f"model.{rest}"
        elif key.startswith("lm_head."):
            found[key] = key
    return found


def likely_cause(missing: list[str], unexpected: list[str]) -> str:
    """What most likely happened to weights that lack the names ``missing`` and have ``unexpected`` ones, and what to do."""
    prefix = _prefix(missing, unexpected)
    if prefix is not None:
        return (
            f"Every key starts with '{prefix}', as in a model that holds this one as a part:"
            " store the part's weights without it"
        )
    if missing == ["lm_head.weight"] and not unexpected:
        return (
            "They are of a model without an output head, or of one that ties it to the embeddings:"
            " set tie_word_embeddings to true in config.json if that is so"
        )
    if unexpected and not missing and all(LAYER.search(key) for key in unexpected):
        return (
            "The weights have more layers than the configuration:"
            " use the config.json that came with them"
        )
    if unexpected:
        return "They are of another model: use the config.json that came with them"
    if all(LAYER.search(key) for key in missing):
        return (
            "Was one of several files not copied, or does the configuration have more layers than the weights?"
            " Copy or download them again, with the config.json that came with them"
        )
    return "Was one of several files not copied? Copy or download them again"


def _prefix(missing: list[str], unexpected: list[str]) -> str | None:
    """The prefix of every name in the files that no name of the model has; None if there is none."""
    for key in unexpected if missing else ():
        if key.endswith(missing[0]) and key != missing[0]:
            prefix = key[: -len(missing[0])]
            if all(other.startswith(prefix) for other in unexpected):
                return prefix
    return None


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{', '.join(names[:NAMES_SHOWN])}{more} ({len(names)} in all)"
