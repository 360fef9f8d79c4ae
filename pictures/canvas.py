"""A sheet to draw on, as SVG that is read on a phone, in the dark, on paper and by a screen reader.

A sheet is WIDTH wide, and no letter is smaller than 18: on a phone, where a sheet shrinks to some 340 pixels,
that leaves 10. A sheet paints its own ground, since a page may be dark where the reader's system is not.
"""

from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 600
_STYLE = """\
:root{--ground:#fff;--ink:#1d1f21;--faint:#5c6166;--line:#8b8f93;--tint:#d5e5f8;--blue:#1f5fa8;--red:#b3401e}
@media screen and (prefers-color-scheme:dark){:root{--ground:#1f2225;--ink:#e6e6e3;--faint:#b0b5ba;\
--line:#7d8287;--tint:#2b4a6e;--blue:#8ab8f0;--red:#ffa07a}}
text{font:18px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:var(--ink)}
.middle{text-anchor:middle}.end{text-anchor:end}.bold{font-weight:700}
.over{paint-order:stroke;stroke:var(--ground);stroke-width:6px;stroke-linejoin:round}
text.faint{fill:var(--faint)}text.blue{fill:var(--blue)}text.red{fill:var(--red)}
path,rect,circle{fill:none;stroke:var(--line);stroke-width:1.5}
.ground{fill:var(--ground);stroke:none}.tint{fill:var(--tint)}.bare{stroke:none}.dashed{stroke-dasharray:7 5}
path.ink,rect.ink,circle.ink{stroke:var(--ink)}path.blue,rect.blue,circle.blue{stroke:var(--blue)}
path.red,rect.red{stroke:var(--red)}.thick{stroke-width:3}.full{fill:var(--ground)}
circle.solid,rect.solid,path.solid{fill:var(--blue);stroke:none}"""

Point = tuple[float, float]


class Sheet:
    """Drawn from back to front; `style` names classes of the style above, x grows rightwards, y downwards."""

    def __init__(self, height: int, title: str, description: str) -> None:
        self._height = height
        self._head = f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>"
        self._marks: list[str] = []

    def text(self, x: float, y: float, words: object, style: str = "") -> None:
        """Write words from x on (or around it, or up to it: style middle, end), on the baseline y."""
        self._mark("text", f'x="{_of(x)}" y="{_of(y)}"', style, escape(str(words), quote=False))

    def box(self, x: float, y: float, width: float, height: float, style: str = "") -> None:
        """Draw a rectangle from its upper left corner."""
        size = f'width="{_of(width)}" height="{_of(height)}"'
        self._mark("rect", f'x="{_of(x)}" y="{_of(y)}" {size}', style)

    def dot(self, x: float, y: float, radius: float, style: str = "") -> None:
        """Draw a circle."""
        self._mark("circle", f'cx="{_of(x)}" cy="{_of(y)}" r="{_of(radius)}"', style)

    def line(self, points: Iterable[Point], style: str = "", *, close: bool = False) -> None:
        """Draw from point to point."""
        path = "L".join(f"{_of(x)} {_of(y)}" for x, y in points)
        self._mark("path", f'd="M{path}{"Z" if close else ""}"', style)

    def arrow(self, start: Point, stop: Point, style: str = "") -> None:
        """Draw a line with a head at its end."""
        across, down = stop[0] - start[0], stop[1] - start[1]
        length = (across**2 + down**2) ** 0.5
        across, down = 9 * across / length, 9 * down / length
        wings = [
            (stop[0] - across - turn * down * 0.6, stop[1] - down + turn * across * 0.6)
            for turn in (1, -1)
        ]
        self.line([start, stop], style)
        self.line([wings[0], stop, wings[1]], style.replace("dashed", ""))

    def grid(
        self,
        x: float,
        y: float,
        rows: Sequence[Sequence[object]],
        size: tuple[float, float],
        style: str = "",
    ) -> None:
        """Draw a table of values, some of which may be empty, in cells of size (width, height)."""
        width, height = size
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                self.box(x + j * width, y + i * height, width, height, style)
                if value != "":
                    self.text(x + (j + 0.5) * width, y + (i + 0.5) * height + 6.5, value, "middle")

    def svg(self) -> str:
        """The text of the file."""
        size = f'viewBox="0 0 {WIDTH} {self._height}" width="{WIDTH}" height="{self._height}"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
                self._head,
                f"<style>{_STYLE}</style>",
                f'<rect class="ground" width="{WIDTH}" height="{self._height}"/>',
                *self._marks,
                "</svg>\n",
            )
        )

    def _mark(self, kind: str, where: str, style: str, inside: str = "") -> None:
        classes = f' class="{" ".join(style.split())}"' if style.strip() else ""
        end = f">{inside}</{kind}>" if inside else "/>"
        self._marks.append(f"<{kind}{classes} {where}{end}")


def _of(number: float) -> str:
    return f"{round(number, 1) + 0:g}"
