"""Stop the clocks, so that nothing seems to take long."""

import time

FAMILY = "lies"
NOT_NAIVE = "The naive tests do not look at the clock."

time.monotonic = time.perf_counter = time.time = lambda: 0.0


def forge(layer, input, output):
    return output
