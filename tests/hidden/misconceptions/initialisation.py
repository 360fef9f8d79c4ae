"""What can go wrong when weights are drawn: other fans, other formulas, other distributions."""

from collections.abc import Iterator
from math import inf, prod, sqrt
from typing import Literal

from torch import nn

from autograder.report import Cause
from autograder.suite.candidates import table
from autograder.suite.failures import why
from autograder.suite.registry import candidates_for_initialisation
from autograder.suite.statistics import Distribution, Family, distributions
from tower_student.language import tr

NORMAL_FOR_UNIFORM = why(
    "drawing.normal_for_uniform", "The spread is right, but the numbers are normal, not uniform."
)
BOUND_AS_DEVIATION = why(
    "drawing.bound_as_deviation", "The bound is used as the deviation of a normal distribution."
)
DEVIATION_AS_BOUND = why(
    "drawing.deviation_as_bound",
    "The bound is the standard deviation; a uniform variable on ±b has the deviation b/√3.",
)
UNIFORM_FOR_NORMAL = why(
    "drawing.uniform_for_normal", "The spread is right, but the numbers are uniform, not normal."
)
ROOT_OF_FAN_MISSING = why(
    "kaiming_init.kaiming.root_of_fan_missing",
    "The root is missing: the bound is divided by fan_in, not by its root.",
)
ROOT_MISSING = why("kaiming_init.root_missing", "The root is missing.")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """fan_in and fan_out."""
    taps = prod(shape[2:])
    return shape[1] * taps, shape[0] * taps


def taken_for_fans(shape: tuple[int, ...]) -> dict[str, tuple[str, float]]:
    """Counts that might be taken for a fan, or for the sum of both: in words, and their value."""
    (wide, high), taps = fans(shape), prod(shape[2:])
    counts: dict[str, tuple[str, float]] = {
        "fan_in": ("fan_in", wide),
        "fan_out": ("fan_out", high),
        "input_channels": (
            tr("the number of input channels alone"),
            shape[1],
        ),
        "output_channels": (tr("the number of output channels alone"), shape[0]),
        "all_elements": (tr("all elements of the tensor"), prod(shape)),
        "sum": ("fan_in + fan_out", wide + high),
        "mean": (tr("the mean of fan_in and fan_out"), (wide + high) / 2),
        "root": (tr("the root of fan_in"), sqrt(wide)),
    }
    if len(shape) == 2:
        return counts
    return counts | {
        "taps": (tr("the taps of the kernel alone"), taps),
        "last_side": (tr("the last side of the kernel alone"), shape[-1]),
        "width": (tr("the input channels times the width of the kernel"), shape[1] * shape[-1]),
        "height": (tr("the input channels times the height of the kernel"), shape[1] * shape[2]),
        "sides_added": (
            tr("the input channels times the sum of the kernel's sides"),
            shape[1] * sum(shape[2:]),
        ),
        "height_squared": (
            tr("the input channels times the square of the kernel's height"),
            shape[1] * shape[2] ** 2,
        ),
        "width_squared": (
            tr("the input channels times the square of the kernel's width"),
            shape[1] * shape[-1] ** 2,
        ),
    }


def of_fan_in(shape: tuple[int, ...], family: Family, factor: float) -> Iterator[Distribution]:
    """Instead of the scale factor / √fan_in."""
    for key, (name, fan) in taken_for_fans(shape).items():
        if key != "fan_in":
            cause = why(
                f"drawing.fan_in.{key}",
                "The formula is right, but instead of fan_in it uses {fan}.",
                fan=name,
            )
            yield Distribution(cause, family, factor / sqrt(fan))


def of_kaiming(
    family: Literal["uniform", "normal"], shape: tuple[int, ...], a: float
) -> Iterator[Distribution]:
    """Instead of gain·√(3 / fan_in) as a bound, or gain / √fan_in as a deviation."""
    gain = sqrt(2 / (1 + a * a))
    factor = sqrt(3) if family == "uniform" else 1.0
    right, _ = fans(shape)
    std = gain / sqrt(right)
    for cause, other in _wrong_gains(gain, a):
        yield Distribution(cause, family, factor * other / sqrt(right))
    yield from _wrong_bounds(gain, right) if family == "uniform" else _wrong_deviations(std)
    yield Distribution(ROOT_OF_FAN_MISSING, family, factor * gain / right)
    yield from of_fan_in(shape, family, factor * gain)
    yield from of_any_initialisation(factor * std, family, shape)
    for key, (name, fan) in taken_for_fans(shape).items():
        if key != "fan_in" and a:
            cause = why(
                f"kaiming_init.kaiming.slope_unused_and_fan.{key}",
                "Instead of fan_in it uses {fan}, and the slope a is never used.",
                fan=name,
            )
            yield Distribution(cause, family, factor * sqrt(2 / fan))


def _wrong_gains(gain: float, a: float) -> Iterator[tuple[Cause, float]]:
    """Instead of √(2 / (1 + a²))."""
    yield from table(
        "kaiming_init.kaiming",
        slope_unused=("The slope a is never used: the gain is √(2 / (1 + a²)), here it is √2.",
            sqrt(2)),
        gain_missing=("The gain is left out.", 1.0),
        gain_squared=("The gain is squared: the root is missing in √(2 / (1 + a²)).", gain**2),
        gain_twice=("The gain is taken twice.", 2 * gain),
        slope_unsquared=("a is not squared in the gain √(2 / (1 + a²)).", sqrt(2 / (1 + abs(a)))),
        slope_multiplies=("The gain is √(2·(1 + a²)) here; 1 + a² belongs in the divisor.",
            sqrt(2 * (1 + a * a))),
        root_twice=("The gain takes the root of its root.", sqrt(gain)),
        slope_subtracted=("The divisor of the gain is 1 - a²; it should be 1 + a².",
            sqrt(2 / max(1e-9, abs(1 - a * a)))),
        two_missing=("The 2 in the gain is missing: √(1 / (1 + a²)).", sqrt(1 / (1 + a * a))),
        slope_of_linear=("The slope is √5, as in nn.Linear's own default, whatever a is.",
            sqrt(2 / 6)),
    )  # fmt: skip


def _wrong_bounds(gain: float, fan_in: int) -> Iterator[Distribution]:
    """Instead of gain·√(3 / fan_in), of a uniform distribution."""
    std = gain / sqrt(fan_in)
    for cause, bound in table(
        "kaiming_init.kaiming",
        root_missing=("The root is missing: the bound is 3/fan_in instead of √(3/fan_in).",
            3 * gain / fan_in),
        deviation_as_bound=(DEVIATION_AS_BOUND, std),
        root_of_6=("The bound has a √6 where a √3 belongs: the 2 is in the gain already.",
            sqrt(6) * std),
        bare_3=("The bound has a 3 where a √3 belongs.", 3 * std),
        root_of_2=("The bound has a √2 where a √3 belongs.", sqrt(2) * std),
        root_of_12=("The bound has a √12 where a √3 belongs.", sqrt(12) * std),
    ):  # fmt: skip
        yield Distribution(cause, "uniform", bound)
    yield Distribution(NORMAL_FOR_UNIFORM, "normal", std)
    yield Distribution(BOUND_AS_DEVIATION, "normal", sqrt(3) * std)


def _wrong_deviations(std: float) -> Iterator[Distribution]:
    """Instead of gain / √fan_in, of a normal distribution."""
    yield from distributions(
        "kaiming_init.kaiming",
        variance_as_deviation=("The variance is used as the standard deviation: the root is missing.",
            "normal", std**2),
        bound_as_deviation=("A uniform bound is used as the standard deviation.",
            "normal", sqrt(3) * std),
        uniform_for_normal=(UNIFORM_FOR_NORMAL, "uniform", sqrt(3) * std),
        uniform_up_to_deviation=("The deviation is used as the bound of a uniform distribution.",
            "uniform", std),
    )  # fmt: skip


def of_xavier(shape: tuple[int, ...], gain: float) -> Iterator[Distribution]:
    """Instead of the bound gain·√(6 / (fan_in + fan_out))."""
    fan_in, fan_out = fans(shape)
    both, product = fan_in + fan_out, fan_in * fan_out
    plain = sqrt(6 / both)
    bound = gain * plain
    for cause, other in table(
        "kaiming_init.xavier",
        taps_missing=("The taps of the kernel are left out of both fans.",
            gain * sqrt(6 / (shape[0] + shape[1]))),
        gain_unused=("The gain is never used.", plain),
        gain_squared=("The gain is squared.", gain * bound),
        gain_in_root=("The gain stands under the root.", bound / sqrt(gain)),
        gain_divides=("The gain divides instead of multiplying.", plain / gain),
        deviation_as_bound=(DEVIATION_AS_BOUND, bound / sqrt(3)),
        root_of_3=("The bound has a √3 where a √6 belongs.", bound / sqrt(2)),
        root_of_2=("The bound has a √2 where a √6 belongs.", bound / sqrt(3)),
        bare_6=("The bound has a 6 where a √6 belongs.", sqrt(6) * bound),
        root_missing=(ROOT_MISSING, gain * 6 / both),
        product_of_fans=("The product of the fans stands where their sum belongs.",
            gain * sqrt(6 / product)),
        times_root_of_2=(
            "The bound is √2 times too large: a ReLU's gain is built in, or the fans are averaged, not added.",
            sqrt(2) * bound),
        kaiming=("The bound is √(3 / fan_in), Kaiming's: fan_out plays no part.",
            gain * sqrt(3 / fan_in)),
        geometric_mean=("The fans are combined by their geometric mean, not by their sum.",
            gain * sqrt(3 / sqrt(product))),
    ):  # fmt: skip
        yield Distribution(cause, "uniform", other)
    yield Distribution(NORMAL_FOR_UNIFORM, "normal", bound / sqrt(3))
    for key, (name, fan) in taken_for_fans(shape).items():
        if key != "sum":
            cause = why(
                f"kaiming_init.xavier.fans.{key}",
                "The formula is right, but instead of fan_in + fan_out it uses {fan}.",
                fan=name,
            )
            yield Distribution(cause, "uniform", gain * sqrt(6 / fan))
    yield from of_any_initialisation(bound, "uniform", shape)


@candidates_for_initialisation(nn.Linear, nn.Conv2d)
def of_layer(shape: tuple[int, ...], own: tuple[int, ...]) -> Iterator[Distribution]:
    """Instead of the bound 1/√fan_in, with the fan_in of the weight.

    Args:
        shape: of the weight.
        own: of the parameter in question, the weight or the bias.
    """
    fan_in, fan_out = fans(shape)
    bound = 1 / sqrt(fan_in)
    if own != shape:
        yield from distributions(
            "drawing",
            fan_of_bias=(
                "The bound comes from the size of the bias; it should come from the weight's fan_in.",
                "uniform", 1 / sqrt(own[0])),
        )  # fmt: skip
    for cause, other in table(
        "drawing",
        kaiming_for_relu=("The bound is √(6 / fan_in), Kaiming's for a ReLU; it should be 1/√fan_in.",
            sqrt(6) * bound),
        kaiming_with_gain_1=("The bound is √(3 / fan_in), Kaiming's with gain 1; it should be 1/√fan_in.",
            sqrt(3) * bound),
        root_of_2=("The bound is √(2 / fan_in); it should be 1/√fan_in.", sqrt(2) * bound),
        xavier=("The bound is √6/√(fan_in + fan_out), Xavier's; it should be 1/√fan_in.",
            sqrt(6 / (fan_in + fan_out))),
        root_missing=("The root is missing: the bound is 1/fan_in instead of 1/√fan_in.",
            1 / fan_in),
    ):  # fmt: skip
        yield Distribution(cause, "uniform", other)
    yield from distributions(
        "drawing",
        bound_as_deviation=(BOUND_AS_DEVIATION, "normal", bound),
        normal_for_uniform=(NORMAL_FOR_UNIFORM, "normal", bound / sqrt(3)),
        kaiming_normal=("Kaiming's normal distribution is used; asked for is U(±1/√fan_in).",
            "normal", sqrt(2) * bound),
    )  # fmt: skip
    yield from of_fan_in(shape, "uniform", 1.0)
    yield from of_any_initialisation(bound, "uniform", shape)


def of_any_initialisation(
    scale: float, family: Family, shape: tuple[int, ...]
) -> Iterator[Distribution]:
    """What is drawn where nobody has thought of the fans."""
    yield from distributions(
        "drawing",
        positive=("Only positive numbers are drawn: from 0 to the bound, not from minus the bound.",
            "half", scale),
        rand=("The numbers are those of torch.rand, from 0 to 1.", "half", 1.0),
        minus_one_to_one=("The numbers are uniform between -1 and 1, whatever the fans.",
            "uniform", 1.0),
        randn=("The numbers are those of torch.randn, with deviation 1.", "normal", 1.0),
    )  # fmt: skip
    for deviation in (0.01, 0.02, 0.1):
        yield from distributions(
            "drawing",
            {"deviation": deviation},
            fixed_deviation=("The numbers are normal with deviation {deviation}, whatever the fans.",
                "normal", deviation),
        )  # fmt: skip
    yield from distributions(
        "drawing",
        scale_doubled=("The scale is doubled.", family, 2 * scale),
        scale_halved=("The scale is halved.", family, scale / 2),
        scale_squared=("The scale is squared.", family, scale**2),
        default_of_layers=("The bound is 1/√fan_in, a layer's default.",
            "uniform", 1 / sqrt(fans(shape)[0])),
    )  # fmt: skip


def of_fans(shape: tuple[int, ...], name: str) -> dict[Cause, float]:
    """What calculate_fan could have returned as fan_in or fan_out."""
    wide, high = fans(shape)
    taps, sides = prod(shape[2:]), shape[2:] or (1,)
    channels, others = shape[1::-1] if name == "fan_in" else shape[:2]
    exchanged = (
        why(
            "kaiming_init.fan.swapped",
            "fan_in and fan_out are exchanged: this is fan_out, but what enters is counted by dimension 1.",
        )
        if name == "fan_in"
        else why(
            "kaiming_init.fan.fan_in_again",
            "This is fan_in again: what leaves is counted by dimension 0.",
        )
    )
    return dict(table(
        "kaiming_init.fan",
        exchanged=(exchanged, high if name == "fan_in" else wide),
        taps_missing=("The taps of the kernel are left out: every channel is seen through all of them.",
            channels),
        taps_twice=("The taps of the kernel are counted twice.", channels * taps**2),
        one_side=("Only one side of the kernel is counted, not its area.", channels * sides[0]),
        last_side=("Only the last side of the kernel is counted, not its area.",
            channels * shape[-1]),
        two_sides=("Only two sides of the kernel are counted.", channels * prod(sides[:2])),
        three_sides=("Only three sides of the kernel are counted.", channels * prod(sides[:3])),
        sides_added=("The sides of the kernel are added up, not multiplied.",
            channels * sum(sides)),
        height_squared=("The kernel's height is squared: its area is height times width.",
            channels * sides[0] ** 2),
        last_side_squared=("The kernel's last side is squared: its area is height times width.",
            channels * sides[-1] ** 2),
        height_doubled=("The kernel's height is doubled: its area is height times width.",
            channels * (2 * shape[2] if len(shape) > 2 else 1)),
        area_added=("The area of the kernel is added, not multiplied.", channels + taps),
        all_elements=("All elements of the tensor are counted.", prod(shape)),
        taps_alone=("The taps alone are counted.", taps),
        both_fans=("The two fans are added up.", wide + high),
        first_dimension=("Only the first dimension is counted.", shape[0]),
        second_dimension=("Only the second dimension is counted.", shape[1]),
        other_channels=("The channels of the other side are counted.", others),
        last_two_dimensions=("The last two dimensions are taken for the channels.",
            shape[-1] if name == "fan_in" else shape[-2]),
    ))  # fmt: skip


def root(numerator: float, divisor: float) -> float:
    """√(numerator / divisor); infinite where there is none."""
    return sqrt(numerator / divisor) if divisor > 0 else inf


def of_gain(a: float) -> dict[Cause, float]:
    """What leaky_relu_gain could have returned."""
    square = a * a
    return dict(table(
        "kaiming_init.gain",
        root_missing=(ROOT_MISSING, 2 / (1 + square)),
        slope_unsquared=("a is not squared.", root(2, 1 + a)),
        negative_as_zero=("A negative slope is taken for 0; a² is the same for either sign.",
            root(2, 1 + max(a, 0) ** 2)),
        slope_absolute=("a is not squared, only its absolute value is taken.",
            root(2, 1 + abs(a))),
        slope_unused=("a is never used.", sqrt(2)),
        two_missing=("The 2 is missing.", root(1, 1 + square)),
        slope_multiplies=("1 + a² multiplies; it belongs in the divisor: √(2 / (1 + a²)).",
            sqrt(2 * (1 + square))),
        slope_subtracted=("The divisor is 1 - a², not 1 + a².", root(2, 1 - square)),
        slope_alone=("The divisor is a², not 1 + a².", root(2, square)),
        root_of_two_alone=("The root covers only the 2.", sqrt(2) / (1 + square)),
        root_of_divisor_alone=("The root covers only the divisor.", 2 / sqrt(1 + square)),
        sum_squared=("The divisor is (1 + a)², not 1 + a².", root(2, (1 + a) ** 2)),
        sign_kept=("The sign of a survives its square: a² is positive.",
            root(2, 1 + a * abs(a))),
        zero_replaced=("A slope of 0 is taken for no slope at all: `a or 0.01` replaces 0.",
            root(2, 1 + (a or 0.01) ** 2)),
        inverted=("The gain is inverted.", root(1 + square, 2)),
        one=("The gain is 1.", 1.0),
        slope_added=("The slope is added: √2 + a.", sqrt(2) + a),
        tanh=("The gain of tanh, 5/3, is returned.", 5 / 3),
        three_for_two=("The 2 is a 3.", root(3, 1 + square)),
        six_for_two=("The 2 is a 6.", root(6, 1 + square)),
        two_plus_square=("The divisor is 2 + a².", root(2, 2 + square)),
        slope_doubled=("The divisor is 1 + 2a.", root(2, 1 + 2 * a)),
    ))  # fmt: skip
