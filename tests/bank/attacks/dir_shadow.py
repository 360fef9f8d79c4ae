"""Run code in the grader: files that Python, pytest and pip load by themselves when they lie near."""

FAMILY = "archives"

MODULES = ("conftest", "sitecustomize", "usercustomize", "torch", "json", "numpy", "__main__")


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    evil = f"open({str(folder / 'ran')!r}, 'a').close()\n"
    for name in MODULES:
        (submission / f"{name}.py").write_text(evil)
    (submission / "linear").mkdir()
    (submission / "linear" / "__init__.py").write_text(evil)
    (submission / "evil.pth").write_text(f"import os; {evil}")
    (submission / "pytest.ini").write_text("[pytest]\naddopts = -p conftest\n")
    (submission / "linear.py").write_text("import json\n")
    return submission
