"""Tokenizers as they lie in folders."""
