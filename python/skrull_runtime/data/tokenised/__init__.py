"""The token store: blocks of rows to tables, and where these are kept."""
