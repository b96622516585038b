"""``python -m costeer``."""

from costeer.cli.main import main

main()
