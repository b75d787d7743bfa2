"""Turns samples into token ids and spans of answers, under a chat template: the tokenizer's own, another, or a declared
one.

Needs ``tokenizers`` and ``jinja2``, imported where they are used, but not torch, transformers or numpy.
"""

from ..tokenizers.tokenizer import LoadedTokenizer, load_tokenizer
from .declared_jinja import jinja_of
from .difference import first_difference
from .renderer import Renderer

__all__ = ["LoadedTokenizer", "Renderer", "first_difference", "jinja_of", "load_tokenizer"]
