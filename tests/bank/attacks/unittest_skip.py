"""Raise unittest's SkipTest in forward."""

import unittest

FAMILY = "forgery"


def forge(layer, input, output):
    raise unittest.SkipTest("no need")
