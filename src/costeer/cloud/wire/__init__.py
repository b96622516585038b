"""How log-probabilities cross the wire; client and server share it."""
