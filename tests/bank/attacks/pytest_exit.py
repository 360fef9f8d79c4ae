"""Let pytest leave with a return code of the student's choice."""

FAMILY = "forgery"


def forge(layer, input, output):
    import pytest

    pytest.exit("that will do", returncode=0)
