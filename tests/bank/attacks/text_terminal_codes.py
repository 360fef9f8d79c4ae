"""Rewrite the lines above it by terminal codes.

Escape sequences in both forms (ESC [ and the single C1 character), operating-system commands that set
the title, the clipboard and a link, and the carriage returns and backspaces that need no escape at all.
"""

FAMILY = "text"


def text():
    escapes = "\x1b[2K\x1b[3A\x1b[32m✓ 4/4 forward\x1b[0m\x1b[8m hidden \x1b[2J\x1b[1;1H\x1bc"
    eight_bit = "\x9b3A\x9b2K\x9d0;title\x9c\x90data\x9c\x85"
    commands = "\x1b]0;graded 100\x07\x1b]52;c;cm0gLXJm\x07\x1b]8;;http://example.org\x1b\\click\x1b]8;;\x1b\\"
    overwritten = "wrong\rright\b\b\b\b\bRIGHT\x7f\x07\x0e\x0f\x11\x13"
    return escapes + eight_bit + commands + overwritten
