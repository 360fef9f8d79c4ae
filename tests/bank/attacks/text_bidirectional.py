"""Reverse the order in which the rest of the line is read, or hide letters between others."""

FAMILY = "text"


def text():
    overrides = "\u202e001 fo 001\u202c \u2066\u2067isolated\u2069 \u202dleft\u202c \u200f\u200e\u061c"
    unseen = "pas\u200bs\u2060e\ufeffd \u00ad\u180e\u3164\uffa0\u115f\u2800\U000e0041\U000e0100\ufe0f"
    return overrides + unseen + "\u05d0\u05d1\u05d2 \u0661\u0662"
