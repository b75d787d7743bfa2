"""Data: from files as people have them to token ids and what the loss counts of them, and the samples of a run.

What reads, renders and tokenises needs ``tokenizers`` and ``jinja2`` (``pyarrow`` for Parquet, Arrow and zst), and
neither torch nor transformers: the compiler starts it on machines that have no more.
"""
