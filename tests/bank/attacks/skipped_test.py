"""Skip the test from inside forward."""

FAMILY = "forgery"


def forge(layer, input, output):
    import pytest

    pytest.skip("no need")
