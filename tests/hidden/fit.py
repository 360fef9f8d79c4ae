"""The MNIST fit: does a student's tower, trained by the student's loop, learn to read digits?

The grader picks the initial weights, permutes the labels and alters the pixels by a secret transform that
is as easy to learn as the original: a symmetry of the square and a change of contrast, often an
inversion. It gets back weights, loads them into its own tower, and measures the accuracy on held-out images
under the same transform.

Weights that were trained elsewhere can be turned to fit such a transform, so the grader looks at the way there
as well: the first steps lead where its own lead, no later ones lead further than Adam can go, and at the end
there is as much left of the initial weights as training leaves. Whoever brings weights from elsewhere on that
way has to train them from this run's start, or to lead the weights there in many small steps: it is made
harder, and not impossible.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.report import Curve, Images
from autograder.suite.failures import TooSlow, expect, why
from autograder.suite.long_run import LongRun
from autograder.suite.parity import alike
from autograder.suite.sampler import Sampler
from autograder.suite.student import Batches, Layer, Student
from tower_student.language import plural, tr

from digits import Digits, digits
from reference import PARAMETERS, ReferenceTower, accuracy, train_epoch

BATCH = 64
LEARNING_RATE = 1e-3
TRIAL_STEPS = 2
LOOKS, LOOKED_AT = 10, 300
"""How often the accuracy is looked at on the way, for the report's learning curve, and on how many images."""
CHUNK_STEPS = 31
"""Steps between two signs of progress, and two looks at how far the weights have moved."""
ALIKE = 0.15
"""The least cosine between the first steps of a part and the grader's own. In six runs the same steps in float64
had 1.00, the two batches in the other order 0.28 to 0.59; steps from another start 0.07 at most in conv2 and fc1,
and weights of another tower 0.02."""
FURTHEST = 1.5
"""How far the weights of a part may move in one step, as a root mean square in learning rates. Adam moves each
by about one at most; a tower that learns was seen to move by 0.84 for 31 steps."""
LEFT = 0.1
"""The least cosine between a part and its start. The reference had 0.56 left after 469 steps, 0.48 after 938 and
0.28 after 4,690; weights of another tower have 0.02."""
PARTS = ("conv2.weight", "fc1.weight", "fc2.weight")
"""What is large enough for a cosine to mean something."""


@dataclass(frozen=True)
class Secret:
    """How the images and labels of one run are altered.

    Attributes:
        labels: the permutation, by old label.
        turns: quarter turns, after a reflection where `mirrored`.
        low, high: the grey values that 0 and 255 become; low > high inverts.
    """

    labels: Tensor
    turns: int
    mirrored: bool
    low: float
    high: float

    def images(self, images: Tensor) -> Tensor:
        """uint8 (N, 1, 28, 28) → the same, altered."""
        turned = torch.rot90(images.flip(-1) if self.mirrored else images, self.turns, (-2, -1))
        return (self.low + turned.float() * ((self.high - self.low) / 255)).round().to(torch.uint8)


def draw_secret(sampler: Sampler) -> Secret:
    """One of the transforms, each as likely as the other."""
    ends = sampler.number(0, 40), sampler.number(215, 255)
    low, high = ends if int(sampler.integers(0, 2)) else ends[::-1]
    turns, mirrored = int(sampler.integers(0, 4)), bool(sampler.integers(0, 2))
    return Secret(sampler.permutation(10), turns, mirrored, low, high)


def initial_weights(sampler: Sampler) -> dict[str, Tensor]:
    """Float32 weights and biases from U(±1/√fan_in), as the layers themselves would draw them."""
    weights = {}
    for name, shape in PARAMETERS.items():
        layer = name.partition(".")[0]
        bound = 1 / math.sqrt(math.prod(PARAMETERS[f"{layer}.weight"][1:]))
        weights[name] = (2 * sampler.uniform(*shape, dtype=torch.float32) - 1) * bound
    return weights


class Way:
    """The way of the weights from their start, look by look. Raises CheckFailed where no training leads it."""

    def __init__(self, start: dict[str, Tensor]) -> None:
        self._start = self._last = start

    def begin(self, state: dict[str, Tensor], batches: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Take the first steps as well, from the same start over the same batches."""
        tower = ReferenceTower()
        tower.load_state_dict(self._start)
        optimizer = torch.optim.Adam(tower.parameters(), lr=LEARNING_RATE)
        train_epoch(tower, batches, torch.nn.CrossEntropyLoss(), optimizer)
        own = tower.state_dict()
        for name in PARTS:
            start = self._start[name]
            expect(
                _cosine(state[name] - start, own[name] - start) >= ALIKE,
                tr(
                    "{name} has not moved as the first {count} batches of this run move it.",
                    name=name,
                    count=len(batches),
                ),
                cause=ELSEWHERE,
            )

    def follow(self, state: dict[str, Tensor], steps: int) -> None:
        """Go on to these weights, so many steps later."""
        for name, weights in state.items():
            moved = float((weights - self._last[name]).square().mean().sqrt())
            furthest = FURTHEST * steps * LEARNING_RATE
            expect(
                moved <= furthest,
                plural(
                    "{name} has moved by {moved:.2g} within {count} step of Adam; expected {furthest:.2g} at most.",
                    "{name} has moved by {moved:.2g} within {count} steps of Adam; expected {furthest:.2g} at most.",
                    steps,
                    name=name,
                    moved=moved,
                    furthest=furthest,
                ),
                cause=ELSEWHERE,
            )
        self._last = state

    def end(self) -> None:
        """Look what is left of the start."""
        for name in PARTS:
            expect(
                _cosine(self._last[name], self._start[name]) >= LEFT,
                tr("Nothing of the initial {name} is left in the trained one.", name=name),
                cause=ELSEWHERE,
            )


ELSEWHERE = why(
    "tower.fit.elsewhere",
    "The weights do not come from training this model: train_epoch has to train the model that it is given, by "
    "the optimizer that it is given, on every batch, and must not put other weights into it.",
)


def _cosine(a: Tensor, b: Tensor) -> float:
    """Of two tensors as vectors; 0 where one of them is zero."""
    return float(torch.cosine_similarity(a.double().flatten(), b.double().flatten(), 0))


def fitted_accuracy(student: Student, sampler: Sampler, context: LongRun) -> float:
    """Accuracy in [0, 1] on 10,000 held-out images. Raises CheckFailed, TooSlow among them."""
    secret, start = draw_secret(sampler), initial_weights(sampler)
    train, test = digits(train=True), digits(train=False)
    steps, done = int(context.plan["steps"]), 0
    student.session.allow(context.trial_seconds)
    model = student.TowerOfInsight()
    model.load(start)
    if context.on_gpu:
        model.to("cuda")
    student.use_threads(context.threads)
    criterion = student.library("nn.CrossEntropyLoss")
    optimizer = student.library("optim.Adam", model, lr=LEARNING_RATE)
    curve = [(0, _held_out(start, test, secret, context.threads, LOOKED_AT))]
    next_look = steps / LOOKS
    way, state = Way(start), start
    while done < steps:  # epoch by epoch
        chosen = sampler.permutation(len(train.labels))[: (steps - done) * BATCH]
        pixels, answers = secret.images(train.images[chosen]), secret.labels[train.labels[chosen]]
        images, labels = student.keep(pixels, answers, on_gpu=context.on_gpu)
        first, last = done, done + math.ceil(len(chosen) / BATCH)
        while done < last:
            stop = min(last, done + (TRIAL_STEPS if done < 2 * TRIAL_STEPS else CHUNK_STEPS))
            before = student.session.used
            student.call(
                "train_epoch",
                model,
                Batches(images, labels, BATCH, done - first, stop - first),
                criterion,
                optimizer,
                on_gpu=context.on_gpu,
                asked=plural(
                    "train_epoch on MNIST: {count} batch of {size}, Adam",
                    "train_epoch on MNIST: {count} batches of {size}, Adam",
                    steps,
                    size=BATCH,
                ),
            )
            # The first steps load what they need; the next show how long one takes.
            if done == TRIAL_STEPS:
                taken = student.session.used - before
                if taken / (stop - done) * steps > 0.8 * context.seconds:
                    raise TooSlow(
                        plural(
                            "{count} step of training took {taken:.1f} s: all {steps} "
                            "would take longer than the {seconds:.0f} s there are.",
                            "{count} steps of training took {taken:.1f} s: all {steps} "
                            "would take longer than the {seconds:.0f} s there are.",
                            stop - done,
                            taken=taken,
                            steps=steps,
                            seconds=context.seconds,
                        )
                    )
                student.session.allow(context.seconds)
            state = _trained(model, start)
            if done == 0:
                inputs, targets = (t[: stop * BATCH].split(BATCH) for t in (pixels, answers))
                way.begin(state, [(x / 255, y) for x, y in zip(inputs, targets, strict=True)])
            way.follow(state, stop - done)
            done = stop
            context.progress(done / steps)
            if next_look <= done < steps:
                curve.append((done, _held_out(state, test, secret, context.threads, LOOKED_AT)))
                next_look = done + steps / LOOKS
    way.end()
    reached = _held_out(state, test, secret, context.threads)
    caption = tr("accuracy on held-out images, over optimiser steps")
    student.show(Curve(tr("How it learnt"), caption, (*curve, (steps, reached))))
    kernels = state["conv1.weight"].flatten(1).tolist()
    rounded = tuple(tuple(round(w, 4) for w in kernel) for kernel in kernels)
    # They grow from the run's own start, under its own transform: only then are the reference's alike.
    caption = tr("the 32 kernels of conv1 after the fit")
    student.show(Images(tr("What conv1 has learnt to see"), caption, rounded, comparable=True))
    return reached


def _trained(model: Layer, start: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as they are now. Raises CheckFailed unless they are of the right shapes, and finite."""
    state = model.state()
    return {
        name: alike(tr("{name} after training", name=name), state.get(name), value)
        for name, value in start.items()
    }


def _held_out(
    state: dict[str, Tensor], test: Digits, secret: Secret, threads: int, count: int | None = None
) -> float:
    """The accuracy of these weights in the reference Tower, on all images of `test` or the first `count`."""
    tower = ReferenceTower()
    tower.load_state_dict({name: state[name] for name in PARAMETERS})
    images = torch.split(secret.images(test.images[:count]), 500)
    labels = torch.split(secret.labels[test.labels[:count]], 500)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return accuracy(tower, [(x.float() / 255, y) for x, y in zip(images, labels, strict=True)])
    finally:
        torch.set_num_threads(before)
