"""Start four hundred threads."""

import _thread
import threading

FAMILY = "floods"


def attack(world):
    threading.stack_size(64 << 10)
    done = threading.Event()
    for _ in range(400):
        _thread.start_new_thread(done.wait, (5,))
    done.wait(0.3)
    done.set()
    return "started"
