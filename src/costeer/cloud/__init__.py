"""The one door to the LLM, and the server behind it. Never sees private text."""
