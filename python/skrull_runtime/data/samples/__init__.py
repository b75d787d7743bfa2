"""What stands between data and tokens: a row as it was read, as it is encoded, and what nobody read of it."""
