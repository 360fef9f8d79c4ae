"""What every hidden test of this course stands on: its misconceptions, which register themselves."""

import misconceptions  # noqa: F401
