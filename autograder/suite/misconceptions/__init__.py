"""Known-wrong variants, computed in the grader, and the one that equals what a student's code returned.

For each thing that is asked there is a function of_… that yields suspects: what else could have come
out, and the misconception that leads there. They are gone through in order, from the particular to
the general; the first that equals what came back, and differs from what should have, names the cause.
"""

from autograder.suite.misconceptions.drawing import (
    Drawn,
    of_fans,
    of_gain,
    of_kaiming,
    of_layer,
    of_xavier,
)
from autograder.suite.misconceptions.layers import of_gradient, of_output
from autograder.suite.misconceptions.line import (
    guilty_of_history,
    of_error,
    of_line_gradients,
    of_prediction,
    of_step,
)
from autograder.suite.misconceptions.suspects import same
from autograder.suite.misconceptions.tower import foreign_bricks, of_entry
from autograder.suite.misconceptions.training import (
    guilty_of_epoch,
    of_count,
    of_evaluation,
    of_mean_loss,
)
from autograder.suite.misconceptions.windows import (
    Geometry,
    of_columns,
    of_columns_gradient,
    of_size,
    pair,
)

__all__ = [
    "Drawn",
    "Geometry",
    "foreign_bricks",
    "guilty_of_epoch",
    "guilty_of_history",
    "of_columns",
    "of_columns_gradient",
    "of_count",
    "of_entry",
    "of_error",
    "of_evaluation",
    "of_fans",
    "of_gain",
    "of_gradient",
    "of_kaiming",
    "of_layer",
    "of_line_gradients",
    "of_mean_loss",
    "of_output",
    "of_prediction",
    "of_size",
    "of_step",
    "of_xavier",
    "pair",
    "same",
]
