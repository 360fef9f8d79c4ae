"""Begin a line of its own by every character that somebody takes for the end of one."""

FAMILY = "text"


def text():
    ends = ("\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\n\r", "\n")
    return "harmless" + "".join(end + "::error::a line" + end + "Found: nothing" for end in ends)
