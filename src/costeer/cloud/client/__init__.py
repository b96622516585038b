"""The door to the LLM: a client of completions servers. Never sees private text."""
