"""Global batches as ranks take them: drawn, scheduled, laid out, packed, and made ahead."""
