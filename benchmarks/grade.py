"""How long one grading takes: as a ratio to importing torch in the same run, and check by check.

The two commands take turns, so that a machine whose speed drifts treats them alike. Printed are
medians; the ratio is the median of the ratios of neighbours.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOWER = Path(sys.executable).parent / "tower"
ROUNDS = 7
LIMIT = 3.0
"""What a grading without the fit may cost, in imports of torch."""

IMPORT_TORCH = [sys.executable, "-c", "import torch, torch.optim"]
HELP = [str(TOWER), "--help"]


def seconds(command: list[str]) -> float:
    """Wall-clock seconds of one run."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        grade = [
            str(TOWER),
            "grade",
            str(ROOT / "solutions"),
            "--fit",
            "off",
            "--json",
            str(report),
        ]
        for command in (IMPORT_TORCH, grade, HELP):
            seconds(command)  # once, so that the disk cache is warm for all
        rounds = [(seconds(grade), seconds(IMPORT_TORCH), seconds(HELP)) for _ in range(ROUNDS)]
        content = json.loads(report.read_text(encoding="utf-8"))
    grading, importing, helping = (
        statistics.median(column) for column in zip(*rounds, strict=True)
    )
    ratios = sorted(grade / torch for grade, torch, _ in rounds)
    print(f"tower grade solutions --fit off   {grading:6.2f} s")
    print(f"import torch, torch.optim         {importing:6.2f} s")
    print(f"tower --help                      {helping:6.2f} s")
    print(
        f"grade / import torch: median {statistics.median(ratios):.2f}, "
        f"{ratios[0]:.2f} to {ratios[-1]:.2f} in {ROUNDS} rounds (limit {LIMIT})"
    )
    print("\nmilliseconds per check")
    checks = [check for module in content["modules"] for check in module["checks"]]
    for check in checks:
        print(f"  {check['id']:34}{1000 * check['seconds']:8.0f}")
    print(f"  {'all checks':34}{1000 * sum(check['seconds'] for check in checks):8.0f}")


if __name__ == "__main__":
    main()
