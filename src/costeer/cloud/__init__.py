"""The LLM's side: the one door to it, and a server behind it. Never sees private text."""
