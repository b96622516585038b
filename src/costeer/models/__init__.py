"""Language models: their interface, the engines that run them, and their files."""
