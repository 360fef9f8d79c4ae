"""What `tower train` prints: who has written what, how it goes, and what is read at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.text import Text
from torch import nn

from tower_student import terminal, training
from tower_student.course import course_in
from tower_student.errors import Stopped
from tower_student.files import write_whole
from tower_student.language import plural, tr
from tower_student.lean import make_lean
from tower_student.pictures import in_characters
from tower_student.training import Data, History, Plan, Workshop
from tower_student.training_page import (
    Reading,
    caption,
    facts,
    lent,
    reading_of,
    render,
    summary,
)

SHOWN = 6
"""Images of a row, at most."""


@dataclass(frozen=True)
class Shown:
    """A training that is shown on a console."""

    folder: Path
    plan: Plan
    console: Console

    def train(
        self, given: Path | None, epochs: int, page: Path, *, seed: int = 0, resume: bool = False
    ) -> None:
        """Train, keep the weights, show what is read, and write the page.

        Raises UsageError where the data or the student's code do not work, Stopped after Ctrl-C.
        """
        make_lean()  # as for tower check
        data = training.data_of(self.plan, self.folder, given)
        weights = self.folder / training.WEIGHTS
        with training.workshop(self.folder, self.plan) as shop:
            show_parts(shop, self.console)
            torch.manual_seed(seed)
            model = shop.new_model()
            before = training.load(weights, model) if resume else 0
            history = self._trained(shop, model, data, epochs, seed)
            if history.losses:
                training.save(weights, model, history, before)
                reading = reading_of(shop, model, data)
                title = course_in(self.folder).title
                write_whole(page, render(shop, model, data, history, reading, title))
                self._show(shop, reading, history)
                self._say(tr("The page: {path}", path=page))
                self._say(tr("Draw something yourself: {command}", command="tower draw"))
        if history.was_stopped:
            raise Stopped(_stopped(history, weights))

    def _trained(
        self, shop: Workshop, model: nn.Module, data: Data, epochs: int, seed: int
    ) -> History:
        with terminal.progress() as progress:

            def on_step(history: History) -> None:
                losses, shares = history.losses[-_RECENT:], history.shares[-_RECENT:]
                said = tr(
                    "step {step:,} of {steps:,}: loss {loss:.2f}, {share:.0f} % right",
                    step=len(history.losses),
                    steps=history.steps,
                    loss=sum(losses) / len(losses),
                    share=100 * sum(shares) / len(shares),
                )
                progress(said, len(history.losses) / history.steps)

            def on_test(history: History) -> None:
                count = len(history.tested) - 1
                first, last = history.tested[-2][0], history.tested[-1][0]
                losses = history.losses[first:last] or [float("nan")]
                said = tr(
                    "epoch {epoch} of {epochs}: mean loss {loss:.3f}, {share:.1f} % of the test images right",
                    epoch=count,
                    epochs=epochs,
                    loss=sum(losses) / len(losses),
                    share=100 * history.tested[-1][1],
                )
                self._say(said)

            return training.train(
                shop, model, data, epochs=epochs, seed=seed, on_step=on_step, on_test=on_test
            )

    def _show(self, shop: Workshop, reading: Reading, history: History) -> None:
        self._say(f"\n{summary(reading)} {facts(history)}.")
        good = reading.one_of_each(SHOWN)
        self._row(reading, good, [Text(caption(shop, reading, i), "green") for i in good])
        worst = reading.worst[:SHOWN]
        if worst:
            self._say(f"\n{tr('Its worst mistakes, and in brackets what they are:')}")
            captions = [
                Text.assemble(
                    (caption(shop, reading, i), "red"),
                    f" ({shop.plan.classes[int(reading.labels[i])]})",
                )
                for i in worst
            ]
            self._row(reading, worst, captions)
        self._say("")

    def _row(self, reading: Reading, chosen: Sequence[int], captions: Sequence[Text]) -> None:
        if chosen:
            images = reading.images[list(chosen)]
            self.console.print(in_characters(images, captions, self.console))

    def _say(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


_RECENT = 20
"""Batches whose mean the progress line shows."""


def show_parts(shop: Workshop, console: Console) -> None:
    """Print what is the student's, and what is lent for which reason."""
    console.print(Text(lent(shop), "bold"), soft_wrap=True)
    for reason in training.reasons(shop.loans):
        console.print(Text(reason, "dim"), soft_wrap=True)


def _stopped(history: History, weights: Path) -> str:
    if not history.losses:
        return tr("Nothing was trained yet.")
    return plural(
        "{steps:,} of {count:,} step is trained; the weights are in {path}.",
        "{steps:,} of {count:,} steps are trained; the weights are in {path}.",
        history.steps,
        steps=len(history.losses),
        path=weights,
    )
