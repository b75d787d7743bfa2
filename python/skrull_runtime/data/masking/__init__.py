"""Which characters of a rendered conversation are answers."""
