"""Chat templates in Jinja: compiled, sandboxed, and stopped where they do not end."""
