"""Model files: which there are, where they come from, and how they get here whole."""
