"""Things that yield next-token log-probabilities, and where their files come from."""
