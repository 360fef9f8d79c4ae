"""Answer with an error whose fields are not what they should be."""

import sys

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no answers to forge."

ERRORS = [
    {"kind": "raised"},
    {"kind": ["raised"], "type": 3},
    {"kind": "raised", "type": "[bold]passed[/]", "message": "x" * 4000, "where": ["linear", -1]},
    {"kind": "raised", "type": "E", "message": "m", "where": ["../solutions/linear", 1 << 70]},
    {"kind": "missing", "name": "\x00", "names": [{}, None, 3]},
    "passed",
    None,
]
"""Which of them a question gets depends on its number, which is drawn at random."""

if "sandbox.worker" in sys.modules:
    worker, wire = sys.modules["sandbox.worker"], sys.modules["sandbox.wire"]
    honest = worker.RequestHandler.answer

    def answer(self, meta, tensors):
        if meta["op"] in ("survey", "import", "create"):
            return honest(self, meta, tensors)
        return wire.encode({"id": meta["id"], "error": ERRORS[meta["id"] % len(ERRORS)]})

    worker.RequestHandler.answer = answer


def forge(layer, input, output):
    return output
