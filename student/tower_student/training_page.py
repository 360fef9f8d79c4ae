"""The page that `tower train` writes: one file without a script, which asks for nothing from elsewhere."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from torch import Tensor, nn

from tower_student import language, pictures
from tower_student.errors import UsageError
from tower_student.language import plural, tr
from tower_student.pictures import Line, as_png, bright, grey, signed
from tower_student.training import (
    Data,
    History,
    Workshop,
    as_input,
    gradient_flow,
    probabilities,
    read_by_layers,
    reasons,
)

FOLDER = Path(__file__).parent
WORST, GOOD = 12, 12
"""How many images are shown of those that it misreads, and of those that it reads rightly."""
DECADES = 8
"""Powers of ten between the longest bar and none."""


@dataclass(frozen=True)
class Reading:
    """What a model reads in the images to test on.

    Attributes:
        images: (N, H, W) from 0 to 1, of all of them.
        labels: what they are.
        read: what it reads.
        sure: how sure it is, from 0 to 1.
    """

    images: Tensor
    labels: Tensor
    read: Tensor
    sure: Tensor

    @property
    def right(self) -> list[int]:
        """Where it is right, in the order of the images."""
        return [int(i) for i in self.read.eq(self.labels).nonzero()]

    @property
    def worst(self) -> list[int]:
        """Where it is wrong, the surest first."""
        wrong = self.read.ne(self.labels).nonzero().flatten()
        return [int(i) for i in wrong[self.sure[wrong].argsort(descending=True)]]

    def one_of_each(self, count: int) -> list[int]:
        """Images that it reads rightly: of every class one, then again, until there are so many."""
        left = self.right
        chosen: list[int] = []
        while left and len(chosen) < count:
            seen: set[int] = set()
            for i in left:
                label = int(self.labels[i])
                if label not in seen:
                    seen.add(label)
                    chosen.append(i)
            left = [i for i in left if i not in chosen]
        return chosen[:count]


def reading_of(shop: Workshop, model: nn.Module, data: Data) -> Reading:
    """Let a model read the images to test on. Raises UsageError."""
    sure, read = probabilities(shop, model, data.test_images).max(1)
    return Reading(as_input(data.test_images).mean(1), data.test_labels, read, sure)


def render(
    shop: Workshop, model: nn.Module, data: Data, history: History, reading: Reading, title: str
) -> str:
    """The page as HTML text. Raises UsageError where the student's code raises."""
    sections = [
        _learning(history),
        _images(shop, reading),
        _layers(shop, model, data, reading),
        _gradients(shop, data),
    ]
    loans = ""
    if shop.loans:
        heading = escape(lent(shop))
        why = escape("\n".join(reasons(shop.loans)))
        loans = f'<div class="loan"><b>{heading}</b><pre>{why}</pre></div>'
    template = Template((FOLDER / "training.html").read_text(encoding="utf-8"))
    return template.substitute(
        language=language.spoken().replace("_", "-"),
        title=escape(title or tr("Trained")),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        summary=escape(summary(reading)),
        facts=escape(facts(history)),
        loans=loans,
        sections="\n".join(section for section in sections if section),
        footer=tr("Draw something yourself: {command}", command="<code>tower draw</code>"),
    )


def summary(reading: Reading) -> str:
    """How many it reads rightly."""
    right, count = len(reading.right), len(reading.labels)
    return plural(
        "It reads {right:,} of {count:,} image rightly that it has not seen before: {share:.1f} %.",
        "It reads {right:,} of {count:,} images rightly that it has not seen before: {share:.1f} %.",
        count,
        right=right,
        share=100 * right / count,
    )


def facts(history: History) -> str:
    """How long it was trained."""
    return plural(
        "{count} step of training in {seconds:.0f} s",
        "{count} steps of training in {seconds:.0f} s",
        len(history.losses),
        seconds=history.seconds,
    )


def lent(shop: Workshop) -> str:
    """What is the student's, and what is lent."""
    names = ", ".join(loan.name for loan in shop.loans)
    if not shop.own:
        return tr("lent: {lent}; yours: nothing yet", lent=names)
    if not shop.loans:
        return tr("yours: {own}", own=", ".join(shop.own))
    return tr("lent: {lent}; yours: {own}", lent=names, own=", ".join(shop.own))


def caption(shop: Workshop, reading: Reading, i: int) -> str:
    """What it reads in an image, and how sure it is."""
    return tr(
        "{read}, {sure:.0f} %",
        read=shop.plan.classes[int(reading.read[i])],
        sure=100 * float(reading.sure[i]),
    )


def _learning(history: History) -> str:
    losses = pictures.smoothed(history.losses)
    raw = [(step + 1.0, loss) for step, loss in enumerate(history.losses)]
    highest = math.ceil(max(history.losses, default=1.0))
    loss = pictures.plot(
        [Line(raw, "faint-line"), Line(losses, "strong-line")],
        [],
        highest,
        "",
        tr("The loss of each batch, over steps."),
    )
    share = pictures.plot(
        [Line(pictures.smoothed(history.shares), "strong-line")],
        history.tested,
        1.0,
        "%",
        tr("The share of right answers, over steps."),
    )
    figures = [
        (loss, tr("loss of each batch, and its mean over {count} steps", count=pictures.SMOOTHED)),
        (share, tr("line: right in the batches; dots: right in the images to test on")),
    ]
    inside = "".join(
        f"<figure>{svg}<figcaption>{escape(said)}</figcaption></figure>" for svg, said in figures
    )
    return _section(
        tr("How it learnt"), tr("From left to right: steps."), f'<div class="side">{inside}</div>'
    )


def _images(shop: Workshop, reading: Reading) -> str:
    classes = shop.plan.classes
    worst = reading.worst[:WORST]
    told = tr("Those that it is surest of are first. What they are stands in brackets.")
    inside = _figures(
        reading,
        worst,
        [
            f"<b>{escape(caption(shop, reading, i))}</b> ({escape(classes[int(reading.labels[i])])})"
            for i in worst
        ],
        "images wrong",
    )
    mistakes = _section(tr("Its worst mistakes"), told, inside) if worst else ""
    good = reading.one_of_each(GOOD)
    inside = _figures(
        reading, good, [f"<b>{escape(caption(shop, reading, i))}</b>" for i in good], "images"
    )
    told = tr("What it reads, and how sure it is.")
    return (_section(tr("What it reads"), told, inside) if good else "") + mistakes


def _figures(reading: Reading, chosen: Sequence[int], said: Sequence[str], style: str) -> str:
    figures = "".join(
        f"<figure>{_image(reading.images[i])}<figcaption>{text}</figcaption></figure>"
        for i, text in zip(chosen, said, strict=True)
    )
    return f'<div class="{style}">{figures}</div>'


def _layers(shop: Workshop, model: nn.Module, data: Data, reading: Reading) -> str:
    """The first layer's kernels, each beside what it sees on an image."""
    chosen = (reading.one_of_each(1) or [0])[0]
    image = as_input(data.test_images[chosen])
    _, layers = read_by_layers(shop, model, image)
    if not layers:
        return ""
    name, maps = layers[0]
    kernels = dict(model.named_parameters()).get(f"{name}.weight")
    parts = []
    for i, seen in enumerate(bright(maps)):
        kernel = ""
        if kernels is not None and kernels.ndim == 4 and i < len(kernels):
            weights = kernels.detach()
            pixels = signed(weights[i].mean(0), float(weights.mean(1).abs().max()))
            kernel = f'<img class="kernel" src="{as_png(pixels)}" alt="">'
        parts.append(f'<span>{kernel}<img class="map" src="{as_png(grey(seen))}" alt=""></span>')
    what = tr(
        "The {count} kernels of {layer}, each beside what it sees.", count=len(maps), layer=name
    )
    told = tr(
        "Left the kernel: blue weighs light, orange dark, black does not look. Right what it finds in the "
        "image: the brighter, the more of it."
    )
    the_image = escape(tr("the image"))
    shown = f"<figure>{_image(image.mean(0))}<figcaption>{the_image}</figcaption></figure>"
    grid = f'<div class="maps" role="img" aria-label="{escape(what)}">{"".join(parts)}</div>'
    heading = tr("What {layer} has learnt to see", layer=name)
    return _section(heading, told, f'<div class="with-input">{shown}{grid}</div>')


def _gradients(shop: Workshop, data: Data) -> str:
    heading = tr("How gradients flow")
    try:
        flows = gradient_flow(shop, data)
    except UsageError as error:  # what is trained has not needed it
        return _section(heading, str(error), "")
    largest = max((value for flow in flows for value in flow.layers.values()), default=0.0)
    told = tr(
        "The gradients of each layer's weights in a new model, on its first batch: their root mean square, "
        "on a scale of powers of ten. Where none arrives, nothing is learnt."
    )

    def figures() -> Iterator[str]:
        for flow in flows:
            label = tr("Gradients by layer: {how}", how=tr(flow.name))
            svg = pictures.bars(flow.layers, largest, DECADES, label)
            loss = tr("the first loss is {loss:.3f}", loss=flow.loss)
            yield (
                f"<figure><h3>{escape(tr(flow.name))}</h3>{svg}<figcaption>{escape(loss)}</figcaption></figure>"
            )

    return _section(heading, told, f'<div class="side">{"".join(figures())}</div>')


def _image(image: Tensor) -> str:
    return f'<img src="{as_png(grey(image))}" alt="">'


def _section(heading: str, told: str, inside: str) -> str:
    return (
        f'<section class="card"><h2>{escape(heading)}</h2><p>{escape(told)}</p>{inside}</section>'
    )
