"""Write every picture: `python -m pictures [FOLDER]`."""

import sys
from pathlib import Path

from pictures import ROOT, bias, fans, spread, stages, valley, windows

# By file: a picture is released with the module that its name begins with.
PICTURES = {
    "gradient_loop.valley": valley.draw,
    "linear.bias": bias.draw,
    "conv2d.windows": windows.draw,
    "kaiming_init.fans": fans.draw,
    "kaiming_init.spread": spread.draw,
    "tower.stages": stages.draw,
}

folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "assignments" / "handouts"
for name, draw in PICTURES.items():
    (folder / f"{name}.svg").write_text(draw(), encoding="utf-8")
