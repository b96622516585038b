"""For all tests."""

import signal

from hypothesis import settings

# Jobs that a shell puts into the background ignore Ctrl-C and hand that down; these tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# `make test-exact` runs the comparison of the two modes with "thorough".
settings.register_profile("default", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("default")
