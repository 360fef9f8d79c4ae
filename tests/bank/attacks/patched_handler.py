"""Replace the worker's own answering by one that says that everything passed."""

import sys

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there is no handler that answers."

if "sandbox.worker" in sys.modules:
    worker, wire = sys.modules["sandbox.worker"], sys.modules["sandbox.wire"]

    def answer(self, meta, tensors):
        content = {"id": meta["id"], "passed": True, "handle": 0, "output": {"text": "passed"}}
        return wire.encode(content)

    worker.RequestHandler.answer = answer


def forge(layer, input, output):
    return output
