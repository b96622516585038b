"""For all tests."""

import signal

# Jobs that a shell puts into the background ignore Ctrl-C and hand that down; these tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
