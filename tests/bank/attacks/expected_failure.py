"""Declare the failure an expected one."""

FAMILY = "forgery"


def forge(layer, input, output):
    import pytest

    pytest.xfail("this is known")
