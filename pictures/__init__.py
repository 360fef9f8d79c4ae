"""The pictures of the handouts, one module each: `python -m pictures` writes them to assignments/handouts/.

Every number in them is computed by the solutions, so a picture cannot state what the code does not do.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

sys.path.insert(0, str(ROOT / "solutions"))
