"""Pile marks on letters until they cover the lines above and below.

Marks come first as well: on the last character of ours, which may be the `>` of an element, with which
they would make another character.
"""

FAMILY = "text"


def text():
    marks = "\u0338\u0335\u0489\u0300\u0316\u0353\u031b\u20d2\u0e47"
    return marks + "p" + marks * 40 + "a" + "\u0310" * 1000 + " " + marks + "<" + "\u0338" * 50 + "\n" + marks
