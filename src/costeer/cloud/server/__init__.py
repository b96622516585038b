"""Our own completions server: the cloud's side."""
