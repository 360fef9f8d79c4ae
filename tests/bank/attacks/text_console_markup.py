"""Speak the markup of the library that prints the report."""

FAMILY = "text"


def text():
    return (
        "[bold green]✓ 4/4[/bold green] [/] [/red] [link=http://example.org]handout[/link] [@click=quit]x[/]"
        "[blink][conceal]\\[red] [not closed :warning: :thumbs_up: %s %(score)d {0} {score!r} $score"
    )
