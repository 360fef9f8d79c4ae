"""What can go wrong when weights are drawn: other fans, other formulas, other distributions."""

import math
from collections.abc import Iterator
from typing import Literal

from torch import nn

from autograder.suite.registry import suspects_of_drawing
from autograder.suite.statistics import Drawn, Kind


def fans(shape: tuple[int, ...]) -> dict[str, float]:
    """Counts that might be taken for fan_in, by how they came about."""
    taps = math.prod(shape[2:])
    wide, high = shape[1] * taps, shape[0] * taps
    counts: dict[str, float] = {
        "fan_in": wide,
        "fan_out": high,
        "the number of input channels alone, without the taps of the kernel": shape[1],
        "the number of output channels alone": shape[0],
        "all elements of the tensor": math.prod(shape),
        "fan_in + fan_out": wide + high,
        "the mean of fan_in and fan_out": (wide + high) / 2,
        "the root of fan_in": math.sqrt(wide),
    }
    if len(shape) == 2:
        return counts
    return counts | {
        "the taps of the kernel alone": taps,
        "the kernel's last side alone": shape[-1],
        "the kernel's width alone, not its area": shape[1] * shape[-1],
        "the kernel's height alone, not its area": shape[1] * shape[2],
        "the sum of the kernel's sides, not their product": shape[1] * sum(shape[2:]),
        "the square of the kernel's height, not its area": shape[1] * shape[2] ** 2,
        "the square of the kernel's width, not its area": shape[1] * shape[-1] ** 2,
    }


def of_kaiming(
    kind: Literal["uniform", "normal"], shape: tuple[int, ...], a: float
) -> Iterator[Drawn]:
    """Instead of gain·√(3 / fan_in) as a bound, or gain / √fan_in as a deviation."""
    gain = math.sqrt(2 / (1 + a * a))
    factor = math.sqrt(3) if kind == "uniform" else 1.0
    by_fan, right = fans(shape), fans(shape)["fan_in"]
    gains = {
        "The slope a is never used: the gain is √(2 / (1 + a²)), here it is √2.": math.sqrt(2),
        "The gain is left out.": 1.0,
        "The gain is squared: the root is missing in √(2 / (1 + a²)).": gain**2,
        "The gain is taken twice.": 2 * gain,
        "a is not squared in the gain √(2 / (1 + a²)).": math.sqrt(2 / (1 + abs(a))),
        "The gain is √(2·(1 + a²)) here; 1 + a² belongs in the divisor.": math.sqrt(
            2 * (1 + a * a)
        ),
        "The gain takes the root of its root.": math.sqrt(gain),
        "The divisor of the gain is 1 - a²; it should be 1 + a².": math.sqrt(
            2 / max(1e-9, abs(1 - a * a))
        ),
        "The 2 in the gain is missing: √(1 / (1 + a²)).": math.sqrt(1 / (1 + a * a)),
        "The slope is √5, as in nn.Linear's own default, whatever a is.": math.sqrt(2 / 6),
    }
    for cause, other in gains.items():
        yield Drawn(cause, kind, factor * other / math.sqrt(right))
    std = gain / math.sqrt(right)
    if kind == "uniform":
        yield Drawn(
            "The root is missing: the bound is 3/fan_in instead of √(3/fan_in).",
            kind,
            3 * gain / right,
        )
        yield Drawn(
            "The bound is the standard deviation; a uniform variable on ±b has the deviation b/√3.",
            kind,
            std,
        )
        yield Drawn(
            "The bound has a √6 where a √3 belongs: the 2 is in the gain already.",
            kind,
            math.sqrt(6) * std,
        )
        yield Drawn("The bound has a 3 where a √3 belongs.", kind, 3 * std)
        yield Drawn("The bound has a √2 where a √3 belongs.", kind, math.sqrt(2) * std)
        yield Drawn("The bound has a √12 where a √3 belongs.", kind, math.sqrt(12) * std)
        yield Drawn("The spread is right, but the numbers are normal, not uniform.", "normal", std)
        yield Drawn(
            "The bound is used as the deviation of a normal distribution.", "normal", factor * std
        )
    else:
        yield Drawn(
            "The variance is used as the standard deviation: the root is missing.", kind, std**2
        )
        yield Drawn("A uniform bound is used as the standard deviation.", kind, math.sqrt(3) * std)
        yield Drawn(
            "The spread is right, but the numbers are uniform, not normal.",
            "uniform",
            math.sqrt(3) * std,
        )
        yield Drawn("The deviation is used as the bound of a uniform distribution.", "uniform", std)
    yield Drawn(
        "The root is missing: the bound is divided by fan_in, not by its root.",
        kind,
        factor * gain / right,
    )
    for name, fan in by_fan.items():
        yield Drawn(
            f"The formula is right, but instead of fan_in it uses {name}.",
            kind,
            factor * gain / math.sqrt(fan),
        )
    yield from of_any_drawing(factor * std, kind, shape)


def of_xavier(shape: tuple[int, ...], gain: float) -> Iterator[Drawn]:
    """Instead of the bound gain·√(6 / (fan_in + fan_out))."""
    counts = fans(shape)
    both = counts["fan_in + fan_out"]
    bound = gain * math.sqrt(6 / both)
    channels = shape[0] + shape[1]
    for cause, other in {
        "The taps of the kernel are left out of both fans.": gain * math.sqrt(6 / channels),
        "The gain is never used.": math.sqrt(6 / both),
        "The gain is squared.": gain * bound,
        "The gain stands under the root.": math.sqrt(gain * 6 / both),
        "The gain divides instead of multiplying.": math.sqrt(6 / both) / gain,
        "The bound is the standard deviation; a uniform variable on ±b has the deviation b/√3.": bound
        / math.sqrt(3),
        "The bound has a √3 where a √6 belongs.": gain * math.sqrt(3 / both),
        "The bound has a √2 where a √6 belongs.": gain * math.sqrt(2 / both),
        "The bound has a 6 where a √6 belongs.": gain * 6 / math.sqrt(both),
        "The root is missing.": gain * 6 / both,
        "The product of the fans stands where their sum belongs.": gain
        * math.sqrt(6 / (counts["fan_in"] * counts["fan_out"])),
        "The bound is √2 times too large: a ReLU's gain is built in, or the fans are averaged, not added.": math.sqrt(
            2
        )
        * bound,
        "The bound is √(3 / fan_in), Kaiming's: fan_out plays no part.": gain
        * math.sqrt(3 / counts["fan_in"]),
        "The fans are combined by their geometric mean, not by their sum.": gain
        * math.sqrt(3 / math.sqrt(counts["fan_in"] * counts["fan_out"])),
    }.items():
        yield Drawn(cause, "uniform", other)
    yield Drawn(
        "The spread is right, but the numbers are normal, not uniform.",
        "normal",
        bound / math.sqrt(3),
    )
    for name, fan in counts.items():
        if name != "fan_in + fan_out":
            yield Drawn(
                f"The formula is right, but instead of fan_in + fan_out it uses {name}.",
                "uniform",
                gain * math.sqrt(6 / fan),
            )
    yield from of_any_drawing(bound, "uniform", shape)


@suspects_of_drawing(nn.Linear, nn.Conv2d)
def of_layer(shape: tuple[int, ...], own: tuple[int, ...]) -> Iterator[Drawn]:
    """Instead of the bound 1/√fan_in, with the fan_in of the weight.

    Args:
        shape: of the weight.
        own: of the parameter in question, the weight or the bias.
    """
    counts = fans(shape)
    right = counts["fan_in"]
    bound = 1 / math.sqrt(right)
    if own != shape:
        yield Drawn(
            "The bound comes from the size of the bias; it should come from the weight's fan_in.",
            "uniform",
            1 / math.sqrt(own[0]),
        )
    yield Drawn(
        "The bound is √(6 / fan_in), Kaiming's for a ReLU; it should be 1/√fan_in.",
        "uniform",
        math.sqrt(6) * bound,
    )
    yield Drawn(
        "The bound is √(3 / fan_in), Kaiming's with gain 1; it should be 1/√fan_in.",
        "uniform",
        math.sqrt(3) * bound,
    )
    yield Drawn(
        "The bound is √(2 / fan_in); it should be 1/√fan_in.", "uniform", math.sqrt(2) * bound
    )
    yield Drawn(
        "The bound is √6/√(fan_in + fan_out), Xavier's; it should be 1/√fan_in.",
        "uniform",
        math.sqrt(6 / counts["fan_in + fan_out"]),
    )
    yield Drawn(
        "The root is missing: the bound is 1/fan_in instead of 1/√fan_in.", "uniform", 1 / right
    )
    yield Drawn("The bound is used as the deviation of a normal distribution.", "normal", bound)
    yield Drawn(
        "The spread is right, but the numbers are normal, not uniform.",
        "normal",
        bound / math.sqrt(3),
    )
    yield Drawn(
        "Kaiming's normal distribution is used; asked for is U(±1/√fan_in).",
        "normal",
        math.sqrt(2) * bound,
    )
    for name, fan in counts.items():
        yield Drawn(
            f"The formula is right, but instead of fan_in it uses {name}.",
            "uniform",
            1 / math.sqrt(fan),
        )
    yield from of_any_drawing(bound, "uniform", shape)


def of_any_drawing(scale: float, kind: Kind, shape: tuple[int, ...]) -> Iterator[Drawn]:
    """What is drawn where nobody has thought of the fans."""
    yield Drawn(
        "Only positive numbers are drawn: from 0 to the bound, not from minus the bound.",
        "half",
        scale,
    )
    yield Drawn("The numbers are those of torch.rand, from 0 to 1.", "half", 1.0)
    yield Drawn("The numbers are uniform between -1 and 1, whatever the fans.", "uniform", 1.0)
    yield Drawn("The numbers are those of torch.randn, with deviation 1.", "normal", 1.0)
    yield Drawn("The numbers are normal with deviation 0.01, whatever the fans.", "normal", 0.01)
    yield Drawn("The numbers are normal with deviation 0.02, whatever the fans.", "normal", 0.02)
    yield Drawn("The numbers are normal with deviation 0.1, whatever the fans.", "normal", 0.1)
    yield Drawn("The scale is doubled.", kind, 2 * scale)
    yield Drawn("The scale is halved.", kind, scale / 2)
    yield Drawn("The scale is squared.", kind, scale**2)
    yield Drawn(
        "The bound is 1/√fan_in, a layer's default.",
        "uniform",
        1 / math.sqrt(fans(shape)["fan_in"]),
    )


def of_fans(shape: tuple[int, ...], name: str) -> dict[str, float]:
    """What calculate_fan could have returned as fan_in or fan_out."""
    wide, high = fans(shape)["fan_in"], fans(shape)["fan_out"]
    taps = math.prod(shape[2:])
    channels = shape[1] if name == "fan_in" else shape[0]
    exchanged = (
        "fan_in and fan_out are exchanged: this is fan_out, but what enters is counted by dimension 1."
        if name == "fan_in"
        else "This is fan_in again: what leaves is counted by dimension 0."
    )
    return {
        exchanged: high if name == "fan_in" else wide,
        "The taps of the kernel are left out: every channel is seen through all of them.": channels,
        "The taps of the kernel are counted twice.": channels * taps * taps,
        "Only one side of the kernel is counted, not its area.": channels
        * (shape[2] if len(shape) > 2 else 1),
        "Only the last side of the kernel is counted, not its area.": channels * shape[-1],
        "Only two sides of the kernel are counted.": channels * math.prod(shape[2:4]),
        "The sides of the kernel are added up, not multiplied.": channels * (sum(shape[2:]) or 1),
        "The kernel's height is squared: its area is height times width.": channels
        * (shape[2] ** 2 if len(shape) > 2 else 1),
        "The kernel's last side is squared: its area is height times width.": channels
        * (shape[-1] ** 2 if len(shape) > 2 else 1),
        "The kernel's height is doubled: its area is height times width.": channels
        * (2 * shape[2] if len(shape) > 2 else 1),
        "The area of the kernel is added, not multiplied.": channels + taps,
        "All elements of the tensor are counted.": math.prod(shape),
        "The taps alone are counted.": taps,
        "The two fans are added up.": wide + high,
        "Only the first dimension is counted.": shape[0],
        "Only the second dimension is counted.": shape[1],
        "The channels of the other side are counted.": shape[0] if name == "fan_in" else shape[1],
        "The last two dimensions are taken for the channels.": shape[-1]
        if name == "fan_in"
        else shape[-2],
    }


def of_gain(a: float) -> dict[str, float]:
    """What leaky_relu_gain could have returned."""
    return {
        "The root is missing.": 2 / (1 + a * a),
        "a is not squared.": math.sqrt(2 / (1 + a)) if a > -1 else math.inf,
        "a is not squared, only its absolute value is taken.": math.sqrt(2 / (1 + abs(a))),
        "a is never used.": math.sqrt(2),
        "The 2 is missing.": math.sqrt(1 / (1 + a * a)),
        "1 + a² multiplies; it belongs in the divisor: √(2 / (1 + a²)).": math.sqrt(
            2 * (1 + a * a)
        ),
        "The divisor is 1 - a², not 1 + a².": math.sqrt(2 / (1 - a * a))
        if abs(a) < 1
        else math.inf,
        "The divisor is a², not 1 + a².": math.sqrt(2 / (a * a)) if a else math.inf,
        "The root covers only the 2.": math.sqrt(2) / (1 + a * a),
        "The root covers only the divisor.": 2 / math.sqrt(1 + a * a),
        "The divisor is (1 + a)², not 1 + a².": math.sqrt(2 / (1 + a) ** 2)
        if a != -1
        else math.inf,
        "The sign of a survives its square: a² is positive.": math.sqrt(2 / (1 + a * abs(a)))
        if a * abs(a) > -1
        else math.inf,
        "A slope of 0 is taken for no slope at all: `a or 0.01` replaces 0.": math.sqrt(
            2 / (1 + (a or 0.01) ** 2)
        ),
        "The gain is inverted.": math.sqrt((1 + a * a) / 2),
        "The gain is 1.": 1.0,
        "The slope is added: √2 + a.": math.sqrt(2) + a,
        "The gain of tanh, 5/3, is returned.": 5 / 3,
        "The 2 is a 3.": math.sqrt(3 / (1 + a * a)),
        "The 2 is a 6.": math.sqrt(6 / (1 + a * a)),
        "The divisor is 2 + a².": math.sqrt(2 / (2 + a * a)),
        "The divisor is 1 + 2a.": math.sqrt(2 / (1 + 2 * a)) if a > -0.5 else math.inf,
    }
