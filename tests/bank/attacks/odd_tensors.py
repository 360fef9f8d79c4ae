"""Answer with tensors that nobody asked for: many, nameless, twice the same name."""

import sys

FAMILY = "forgery"
NOT_NAIVE = "Where everything runs in one process there are no answers to forge."

if "sandbox.worker" in sys.modules:
    worker, wire = sys.modules["sandbox.worker"], sys.modules["sandbox.wire"]
    honest = worker.RequestHandler.answer
    turn = iter(range(1 << 30))

    def answer(self, meta, tensors):
        raw = [wire.RawTensor("", "bool", (3,), b"\2\3\4"), wire.RawTensor("x", "uint8", (0,), b"")]
        odd = [[raw[0]] * 2, [raw[1]] * 300, [wire.RawTensor("grad input", "bool", (), b"\7")]]
        frames = honest(self, meta, tensors)
        if meta["op"] != "forward":
            return frames
        content = {"id": meta["id"], "output": {"tensor": "grad input"}}
        return wire.encode(content, odd[next(turn) % len(odd)])

    worker.RequestHandler.answer = answer


def forge(layer, input, output):
    return output
