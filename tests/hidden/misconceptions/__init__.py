"""Known-wrong variants, computed in the grader, and the one that equals what a student's code returned.

For each thing that is asked there is a function of_… that yields candidates: what else could have come
out, and the misconception that leads there. They are gone through in order, from the particular to
the general; the first that equals what came back, and differs from what should have, names the cause.
"""

from misconceptions.initialisation import (
    of_fans,
    of_gain,
    of_kaiming,
    of_layer,
    of_xavier,
)
from misconceptions.line import (
    STILL,
    diagnose_history,
    of_error,
    of_line_gradient,
    of_prediction,
    of_step,
)
from misconceptions.linear import INHERITED
from misconceptions.tower import foreign_bricks, of_entry
from misconceptions.training import (
    THAWED,
    diagnose_epoch,
    of_count,
    of_evaluation,
    of_mean_loss,
)
from misconceptions.windows import (
    Geometry,
    of_columns,
    of_columns_gradient,
    of_size,
    pair,
)

__all__ = [
    "INHERITED",
    "STILL",
    "THAWED",
    "Geometry",
    "diagnose_epoch",
    "diagnose_history",
    "foreign_bricks",
    "of_columns",
    "of_columns_gradient",
    "of_count",
    "of_entry",
    "of_error",
    "of_evaluation",
    "of_fans",
    "of_gain",
    "of_kaiming",
    "of_layer",
    "of_line_gradient",
    "of_mean_loss",
    "of_prediction",
    "of_size",
    "of_step",
    "of_xavier",
    "pair",
]
