"""Samples to token ids and the spans of answers, under a chat template: the tokenizer's own, another, or a declared one.

Needs ``tokenizers`` and ``jinja2``, imported where they are used; neither torch, transformers nor numpy.
"""

from ..tokenizers.tokenizer import LoadedTokenizer, load_tokenizer
from .declared_jinja import jinja_of
from .difference import first_difference
from .renderer import Renderer

__all__ = ["LoadedTokenizer", "Renderer", "first_difference", "jinja_of", "load_tokenizer"]
