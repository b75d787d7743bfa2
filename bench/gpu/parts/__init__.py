"""What the campaign measures, a module a part. Each has ``COLUMNS``, and ``run`` that gives its :class:`document.Result`."""
