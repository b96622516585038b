"""What any HTTP server of ours needs; nothing of models, of the LLM, or of private text."""
