"""What can go wrong with training, evaluation and counting."""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.report import Cause
from autograder.suite.candidates import table
from autograder.suite.failures import why

Batch = tuple[Tensor, Tensor]


class Loop:
    """One pass over the batches, with one thing wrong, as the methods of a subclass say."""

    cause: Cause

    def __init__(
        self, model: nn.Module, criterion: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        self.model, self.criterion, self.optimizer = model, criterion, optimizer

    def run(self, batches: Sequence[Batch]) -> None:
        """The epoch."""
        self.begin()
        for number, (inputs, labels) in enumerate(batches):
            self.step(number, inputs, labels)

    def begin(self) -> None:
        """Before the first batch."""
        self.model.train()

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        """One batch."""
        self.optimizer.zero_grad()
        self.backward(inputs, labels)
        self.optimizer.step()

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        """The gradients of one batch."""
        self.criterion(self.model(inputs), labels).backward()


class NeverCleared(Loop):
    cause = why(
        "tower.train_epoch.gradients.accumulated",
        "Gradients accumulate from batch to batch: optimizer.zero_grad() is missing in the loop.",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.backward(inputs, labels)
        self.optimizer.step()


class ClearedOnce(Loop):
    cause = why(
        "tower.train_epoch.gradients.cleared_once",
        "Gradients are cleared once, before the loop; they accumulate from batch to batch.",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        if number == 0:
            self.optimizer.zero_grad()
        self.backward(inputs, labels)
        self.optimizer.step()


THAWED = why(
    "tower.train_epoch.thawed",
    "Whether a parameter requires a gradient is changed; a frozen layer stays frozen, and the others are trained.",
)


class Thawed(Loop):
    cause = THAWED

    def begin(self) -> None:
        super().begin()
        self.model.requires_grad_(True)


class AllOrNone(Loop):
    cause = why(
        "tower.train_epoch.step.all_or_none",
        "A step is left out because one parameter has no gradient, as a frozen one has none; the others are to "
        "move all the same.",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad()
        self.backward(inputs, labels)
        if all(parameter.grad is not None for parameter in self.model.parameters()):
            self.optimizer.step()


class Still(Loop):
    cause = why(
        "tower.train_epoch.no_weight_moves",
        "No weight moves: backward() or step() is missing or comes too early, the gradients are cleared in "
        "between, or the loss does not reach the weights (argmax has no gradient).",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.model(inputs)


class SteppedFirst(Loop):
    cause = why(
        "tower.train_epoch.step.before_backward",
        "optimizer.step() comes before backward(): each step uses the batch before.",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.backward(inputs, labels)


class SteppedTwice(Loop):
    cause = why("tower.train_epoch.step.twice", "optimizer.step() is called twice for each batch.")

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        super().step(number, inputs, labels)
        self.optimizer.step()


class BackwardTwice(Loop):
    cause = why(
        "tower.train_epoch.backward.twice",
        "The gradient counts twice: backward() runs twice for each batch, or the loss is doubled.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        (2 * self.criterion(self.model(inputs), labels)).backward()


class OneStep(Loop):
    cause = why(
        "tower.train_epoch.step.once_an_epoch",
        "There is one step for the whole epoch; each batch has its own.",
    )

    def run(self, batches: Sequence[Batch]) -> None:
        self.begin()
        self.optimizer.zero_grad()
        for inputs, labels in batches:
            self.backward(inputs, labels)
        self.optimizer.step()


class ModeAsItWas(Loop):
    cause = why(
        "tower.train_epoch.mode.kept",
        "model.train() is missing: dropout and normalisation act as before the call.",
    )

    def begin(self) -> None:
        pass


class EvaluationMode(Loop):
    cause = why(
        "tower.train_epoch.mode.evaluation",
        "The model is trained in evaluation mode: model.train() is missing, or model.eval() stands there.",
    )

    def begin(self) -> None:
        self.model.eval()


class FirstBatch(Loop):
    cause = why(
        "tower.train_epoch.batches.first_alone",
        "Only the first batch is used: a return or a break ends the loop.",
    )

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[:1])


class LastBatchMissing(Loop):
    cause = why("tower.train_epoch.batches.last_unused", "The last batch is not used.")

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[:-1])


class SmallBatchMissing(Loop):
    cause = why(
        "tower.train_epoch.batches.smaller_dropped",
        "A batch that is smaller than the first is dropped; every sample counts.",
    )

    def run(self, batches: Sequence[Batch]) -> None:
        super().run([batch for batch in batches if len(batch[1]) == len(batches[0][1])])


class FirstBatchMissing(Loop):
    cause = why(
        "tower.train_epoch.batches.first_unused", "The first batch is not used for training."
    )

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[1:])


class Backwards(Loop):
    cause = why("tower.train_epoch.batches.reversed", "The batches are used in reverse order.")

    def run(self, batches: Sequence[Batch]) -> None:
        super().run(batches[::-1])


class TwoPasses(Loop):
    cause = why(
        "tower.train_epoch.batches.twice",
        "The batches are gone through twice; an epoch is one pass.",
    )

    def run(self, batches: Sequence[Batch]) -> None:
        super().run([*batches, *batches])


class MeasuredAgain(Loop):
    cause = why(
        "tower.train_epoch.model_runs_twice",
        "The model runs twice for each batch: take the loss from before the step.",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        super().step(number, inputs, labels)
        self.model(inputs)


class OwnCriterion(Loop):
    cause = why(
        "tower.train_epoch.criterion.own",
        "The loss is cross-entropy with its defaults, not the criterion that is given.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        F.cross_entropy(self.model(inputs), labels).backward()


class SummedLoss(Loop):
    cause = why(
        "tower.train_epoch.loss.multiplied_by_batch",
        "The loss is multiplied before backward(), by the size of the batch or by another number.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        (self.criterion(self.model(inputs), labels) * len(labels)).backward()


class DividedLoss(Loop):
    cause = why(
        "tower.train_epoch.loss.divided_by_batch",
        "The loss is divided before backward(), by the size of the batch or by another number; it is a mean already.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        (self.criterion(self.model(inputs), labels) / len(labels)).backward()


class Probabilities(Loop):
    cause = why(
        "tower.train_epoch.criterion.probabilities",
        "The criterion is given probabilities: cross-entropy takes the softmax itself.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs).softmax(1), labels).backward()


class ByHand(Loop):
    cause = why(
        "tower.train_epoch.step.by_hand",
        "The weights are moved by hand, p -= lr·grad, instead of by optimizer.step().",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad()
        self.backward(inputs, labels)
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.data -= group["lr"] * parameter.grad


class Clipped(Loop):
    cause = why(
        "tower.train_epoch.gradients.clipped",
        "The gradients are clipped between backward() and step(), which nobody asked for.",
    )
    norm = 1.0

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        super().backward(inputs, labels)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.norm)


def clipped(norm: float) -> type[Clipped]:
    """The loop that clips to this norm."""
    return type("ClippedTo", (Clipped,), {"norm": norm})


class ClippedValues(Clipped):
    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs), labels).backward()
        nn.utils.clip_grad_value_(self.model.parameters(), self.norm)


def clipped_values(limit: float) -> type[Clipped]:
    """The loop that clips each value to this."""
    return type("ClippedValuesTo", (ClippedValues,), {"norm": limit})


LIMITS = (0.01, 0.05, 0.1, 0.25, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""That somebody might clip to."""


class Autocast(Loop):
    cause = why(
        "tower.train_epoch.autocast",
        "The forward pass runs under torch.autocast, in bfloat16, which nobody asked for.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            loss = self.criterion(self.model(inputs), labels)
        loss.backward()


class OwnOptimizer(Loop):
    cause = why(
        "tower.train_epoch.optimizer.own",
        "The optimizer that is given takes no step: another one is made inside.",
    )
    rate = 0.01

    def begin(self) -> None:
        super().begin()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.rate)


class OwnFastOptimizer(OwnOptimizer):
    rate = 0.1


class OwnSlowOptimizer(OwnOptimizer):
    rate = 0.001


class OwnAdam(OwnOptimizer):
    def begin(self) -> None:
        self.model.train()
        self.optimizer = torch.optim.Adam(self.model.parameters())


class Regularised(Loop):
    cause = why(
        "tower.train_epoch.loss.penalty",
        "A penalty on the weights is added to the criterion's loss, which nobody asked for.",
    )
    weight = 1e-3

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        penalty = sum((p**2).sum() for p in self.model.parameters())
        (self.criterion(self.model(inputs), labels) + self.weight * penalty).backward()


class RegularisedLess(Regularised):
    weight = 1e-4


class ShiftedLabels(Loop):
    cause = why("tower.train_epoch.labels.shifted", "The labels are shifted by one class.")

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs), (labels - 1).clamp(min=0)).backward()


class Decayed(Loop):
    cause = why(
        "tower.train_epoch.rate_changes",
        "The learning rate is changed from batch to batch, which nobody asked for.",
    )

    def step(self, number: int, inputs: Tensor, labels: Tensor) -> None:
        super().step(number, inputs, labels)
        for group in self.optimizer.param_groups:
            group["lr"] *= 0.9


class TornApart(Loop):
    cause = why(
        "tower.train_epoch.labels.reversed",
        "Inputs and labels of a batch are in opposite order: they no longer belong together.",
    )

    def backward(self, inputs: Tensor, labels: Tensor) -> None:
        self.criterion(self.model(inputs.flip(0)), labels).backward()


LOOPS: tuple[type[Loop], ...] = (
    *(Thawed, AllOrNone),
    *(NeverCleared, ClearedOnce, Still, SteppedFirst, SteppedTwice, BackwardTwice, OneStep),
    *(ModeAsItWas, EvaluationMode, FirstBatch, LastBatchMissing, SmallBatchMissing),
    *(FirstBatchMissing, Backwards, TwoPasses, MeasuredAgain, OwnCriterion, SummedLoss),
    *(DividedLoss, Probabilities, ByHand),
    *(make(limit) for limit in LIMITS for make in (clipped, clipped_values)),
    *(ShiftedLabels, Decayed, TornApart, Autocast),
    *(OwnOptimizer, OwnFastOptimizer, OwnSlowOptimizer, OwnAdam, Regularised, RegularisedLess),
)


MAX_ORDERED = 4
"""Batches whose every order is tried."""
ANOTHER_ORDER = why(
    "tower.train_epoch.batches.another_order",
    "The batches are used in another order than they come in.",
)


def diagnose_epoch(
    got: dict[str, Tensor],
    model: nn.Module,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
) -> Cause | None:
    """The cause of weights that are not what the epoch should have made of them; None where none is known.

    Args:
        got: the state dict that came back.
        model, optimizer: as they were before the epoch; they are left so.
    """

    def is_got(ours: nn.Module) -> bool:
        return all(
            name in got and got[name].shape == value.shape and torch.allclose(got[name], value)
            for name, value in ours.state_dict().items()
        )

    for loop in LOOPS:
        ours, its = copy.deepcopy((model, optimizer))
        try:
            loop(ours, criterion, its).run(batches)
        except (RuntimeError, ValueError, IndexError):
            continue
        if is_got(ours):
            return loop.cause
    if len(batches) <= MAX_ORDERED:
        for order in itertools.permutations(batches):
            ours, its = copy.deepcopy((model, optimizer))
            Loop(ours, criterion, its).run(order)
            if is_got(ours):
                return ANOTHER_ORDER
    ours, its = copy.deepcopy((model, optimizer))
    right = Loop(ours, criterion, its)
    right.begin()
    for number, (inputs, labels) in enumerate(batches[:-1]):
        right.step(number, inputs, labels)
        if is_got(ours):
            return why(
                "tower.train_epoch.batches.first_few",
                "Only the first {used} of {count} batches are used.",
                used=number + 1,
                count=len(batches),
            )
    return None


LAST_UNCOUNTED = why("tower.batches.last_uncounted", "The last batch is not counted.")


def of_mean_loss(losses: Sequence[float], sizes: Sequence[int]) -> dict[Cause, float]:
    """What train_epoch could have returned instead of the mean loss per sample.

    Args:
        losses: the mean loss of each batch.
        sizes: the number of its samples.
    """
    samples, weighted = sum(sizes), sum(n * x for n, x in zip(sizes, losses, strict=True))
    return dict(table(
        "tower.train_epoch.mean_loss",
        batches_equal=(
            "All batches weigh the same; a smaller one has to weigh less: multiply by len(labels).",
            sum(losses) / len(losses)),
        batches_summed=("The losses of the batches are added up, not averaged.", sum(losses)),
        samples_summed=("The losses of the samples are added up, not averaged.", weighted),
        means_over_samples=(
            "The batches' mean losses are added up and divided by the number of samples: multiply each by "
            "its len(labels) first.", sum(losses) / samples),
        samples_over_batches=("The losses of the samples are divided by the number of batches.",
            weighted / len(losses)),
        last_batch=("The last batch's loss is returned.", losses[-1]),
        first_batch=("The first batch's loss is returned.", losses[0]),
        last_uncounted=(LAST_UNCOUNTED,
            sum(n * x for n, x in zip(sizes[:-1], losses[:-1], strict=True)) / max(1, sum(sizes[:-1]))),
        divisor_of_equal_batches=("The divisor counts every batch as if it were as large as the first.",
            weighted / (sizes[0] * len(sizes))),
        weights_of_equal_batches=("Every batch is weighed as if it were as large as the first.",
            sum(losses) * sizes[0] / samples),
        largest=("The largest loss of a batch is returned.", max(losses)),
        smallest=("The smallest loss of a batch is returned.", min(losses)),
    ))  # fmt: skip


def of_evaluation(model: nn.Module, batches: Sequence[Batch]) -> dict[Cause, float]:
    """What evaluate could have returned instead of the fraction that is right.

    Every batch needs two samples, to be normalised in training mode.
    """

    def logits(*, train: bool) -> list[Tensor]:
        ours = copy.deepcopy(model).train(train)
        with torch.no_grad():
            return [ours(x) for x, _ in batches]

    labels = [y for _, y in batches]
    sizes = [len(y) for y in labels]
    evaluated = logits(train=False)
    counts = [int((o.argmax(1) == y).sum()) for o, y in zip(evaluated, labels, strict=True)]
    samples = sum(sizes)

    def share(
        hits: Callable[[Tensor, Tensor], Tensor] = lambda o, y: o.argmax(1) == y,
        of: Sequence[Tensor] = evaluated,
    ) -> float:
        return sum(int(hits(o, y).sum()) for o, y in zip(of, labels, strict=True)) / samples

    with torch.enable_grad():
        ours = copy.deepcopy(model).eval()
        tracked = share(of=[ours(x) for x, _ in batches])
    rest = table(
        "tower.evaluate",
        smallest_logit=("The smallest logit is taken for the answer, not the largest.",
            share(lambda o, y: o.argmin(1) == y)),
        whole_batches_alone=("A batch counts only if all of it is right.",
            sum(count for count, n in zip(counts, sizes, strict=True) if count == n) / samples),
        gradients_tracked=(
            "Gradients are tracked: torch.no_grad() is missing; eval() does not switch them off.",
            tracked),
        saturated_logits=(
            "A sigmoid or tanh stands before the argmax: large logits all become 1, and the first of them wins.",
            share(lambda o, y: o.sigmoid().argmax(1) == y)),
        only_above_half=("An answer counts only if its probability exceeds a half.",
            share(lambda o, y: (o.argmax(1) == y) & (o.softmax(1).amax(1) > 0.5))),
        label_above_half=("An answer counts if its own probability exceeds a half, largest or not.",
            share(lambda o, y: o.softmax(1)[range(len(y)), y] > 0.5)),
        two_largest=("An answer counts if it is among the two largest logits; only the largest does.",
            share(lambda o, y: o.topk(2).indices == y[:, None])),
        argmax_along_batch=(
            "The largest logit is looked for along the batch, not along the classes: argmax needs dim=1.",
            share(lambda o, y: o.argmax(0)[0] == y)),
        argmax_of_batch=("The largest logit of the whole batch is looked for: argmax needs dim=1.",
            share(lambda o, y: o.argmax() == y)),
        training_mode=(
            "The model is not in evaluation mode: model.eval() is missing, or another mode is set.",
            share(of=logits(train=True))),
    )  # fmt: skip
    return dict(itertools.chain(_wrong_fractions(counts, sizes), rest))


def _wrong_fractions(counts: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[Cause, float]]:
    """What could have been made of the right answers in each batch, and of its size."""
    samples, total = sum(sizes), sum(counts)
    fractions = [count / n for count, n in zip(counts, sizes, strict=True)]
    full = [i for i, n in enumerate(sizes) if n >= sizes[0]]
    yield from table(
        "tower.evaluate",
        all_or_nothing=(
            "One wrong answer makes it 0: // leaves only whole numbers, and torch.equal compares whole tensors, not "
            "their elements.", float(total == samples)),
        per_cent=("The result is in per cent; asked for is a fraction in [0, 1].",
            100 * total / samples),
        number_of_right=("The result is the number of right answers; divide it by the number of samples.",
            float(total)),
        fraction_wrong=("The result is the fraction that is wrong: == and != are exchanged.",
            1 - total / samples),
        batches_equal=("All batches weigh the same; a smaller one has to weigh less.",
            sum(fractions) / len(fractions)),
        divided_by_batches=("The right answers are divided by the number of batches, not of samples.",
            total / len(sizes)),
        last_batch_alone=("Only the last batch is counted.", fractions[-1]),
        first_batch_alone=("Only the first batch is counted.", fractions[0]),
        last_batch_over_all=("Only the last batch's right answers are counted, among all samples.",
            counts[-1] / samples),
        smaller_batch_dropped=("A batch that is smaller than the first is dropped.",
            sum(counts[i] for i in full) / sum(sizes[i] for i in full)),
        last_uncounted=(LAST_UNCOUNTED, sum(counts[:-1]) / max(1, sum(sizes[:-1]))),
        every_batch_as_first=("Every batch is counted as if it were as large as the first.",
            total / (sizes[0] * len(sizes))),
        two_digits=("The fraction is rounded to two digits.", round(total / samples, 2)),
        one_digit=("The fraction is rounded to one digit.", round(total / samples, 1)),
        divided_by_10000=("The divisor is 10,000, the size of MNIST's test set.", total / 10_000),
    )  # fmt: skip


def of_count(model: nn.Module) -> dict[Cause, float]:
    """What count_parameters could have returned."""
    parameters = list(model.parameters())
    twice = [p for module in model.modules() for p in module.parameters(recurse=False)]
    own = [p for p in model.parameters(recurse=False) if p.requires_grad]
    children = [
        p for child in model.children() for p in child.parameters(recurse=False) if p.requires_grad
    ]

    def elements(tensors: Sequence[Tensor]) -> int:
        return sum(tensor.numel() for tensor in tensors)

    trained = [p for p in parameters if p.requires_grad]
    return dict(table(
        "tower.count_parameters",
        frozen_as_well=("Parameters that do not require a gradient are counted as well.",
            elements(parameters)),
        shared_twice=("Parameters that several layers share are counted more than once.",
            elements([p for p in twice if p.requires_grad])),
        buffers_as_well=(
            "Buffers are counted as well: model.parameters() leaves them out, a state dict does not.",
            elements(list(model.state_dict().values()))),
        tensors=("The tensors are counted, not their elements.", len(parameters)),
        trained_tensors=("The tensors that require a gradient are counted, not their elements.",
            len(trained)),
        rows=("len counts the rows of a tensor; numel() its elements.", sum(map(len, trained))),
        bytes=("Bytes are counted, not elements.",
            sum(p.numel() * p.element_size() for p in trained)),
        weights_alone=("Only weights are counted, not biases.",
            elements([p for p in trained if p.dim() > 1])),
        own_alone=("Only the model's own parameters are counted, not those of its layers.",
            elements(own)),
        children_alone=(
            "Only the parameters of direct children are counted: a single layer has none, nested layers are missed.",
            elements(children)),
        with_grad_alone=("Only parameters that have a .grad already are counted; ask p.requires_grad.",
            0),
        first_and_last_dimension=("Only the first dimension and the last are multiplied.",
            sum(p.shape[0] * p.shape[-1] for p in trained if p.dim())),
        fixed=("A fixed number is returned, whatever the model.", 421_642),
        frozen_alone=("Only frozen parameters are counted.",
            elements([p for p in parameters if not p.requires_grad])),
    ))  # fmt: skip
