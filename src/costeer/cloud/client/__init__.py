"""A client of completions servers. Never sees private text."""
