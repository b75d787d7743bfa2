"""The processes of a run: how they end, and how those around them learn why."""
