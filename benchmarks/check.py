"""What the student's command costs: `tower check linear` beside importing torch, and a save under --watch.

The two commands take turns, so that a machine whose speed drifts treats them alike. Printed are medians; the
ratio is the median of the ratios of neighbours.
"""

import os
import pty
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOWER = Path(sys.executable).parent / "tower"
ROUNDS = 9
LIMIT, WATCH_LIMIT = 1.3, 0.5


def seconds(command: list[str], folder: Path) -> float:
    """Wall-clock seconds of one run."""
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def watched(folder: Path) -> list[float]:
    """From the save of a module to the last line of what `tower check linear --watch` prints."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [str(TOWER), "check", "linear", "--watch"],
        cwd=folder,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)

    def until(words: str) -> None:
        text = ""
        while words not in text:
            select.select([master], [], [])
            text += os.read(master, 1 << 16).decode(errors="replace")

    try:
        until("Waiting for a save")
        time.sleep(1.0)  # until the watcher is set up; it says nothing of it
        module = folder / "linear.py"
        found = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            module.write_text(module.read_text() + "# another line\n")
            until(" s\r\n")
            found.append(time.perf_counter() - started)
            time.sleep(0.3)  # a person does not save twice within the watcher's patience
        return found
    finally:
        process.kill()
        process.wait()
        os.close(master)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        shutil.copytree(ROOT / "assignments", folder)
        for solution in (ROOT / "solutions").glob("*.py"):
            shutil.copy(solution, folder)
        check = [str(TOWER), "check", "linear"]
        torch = [sys.executable, "-c", "import torch"]
        for command in (check, torch):
            seconds(command, folder)  # once, so that the disk cache is warm for both
        rounds = [(seconds(check, folder), seconds(torch, folder)) for _ in range(ROUNDS)]
        saves = watched(folder)
    checking, importing = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(ours / theirs for ours, theirs in rounds)
    print(f"tower check linear   {checking:6.2f} s")
    print(f"import torch         {importing:6.2f} s")
    print(
        f"check / import: median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f} in "
        f"{ROUNDS} rounds (limit {LIMIT})"
    )
    print(
        f"from a save to its result: median {statistics.median(saves):.2f} s, {min(saves):.2f} to "
        f"{max(saves):.2f} (limit {WATCH_LIMIT})"
    )


if __name__ == "__main__":
    main()
