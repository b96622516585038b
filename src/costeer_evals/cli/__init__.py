"""``costeer eval``: parsing and printing only."""
