"""The entry of ``costeer`` and of ``python -m costeer``."""

import signal


def run() -> None:
    """Import the command line and run it; Ctrl-C while importing ends the process silently."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from costeer.cli.main import main

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


if __name__ == "__main__":
    run()
