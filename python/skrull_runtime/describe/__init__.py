"""What a model tells of itself: its dimensions, as transformers makes it of a configuration."""
