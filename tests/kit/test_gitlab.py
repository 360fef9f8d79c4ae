"""The template for GitLab: its jobs' scripts, over a server that answers as GitLab does."""

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers import ROOT
from workflow_lab import Forge, load_yaml, shell

pytestmark = pytest.mark.sandbox

TEMPLATE = ROOT / "templates" / "gitlab" / "grade.yml"


@pytest.fixture
def pipeline(tmp_path):
    """Runs one job, in a folder that all jobs share, as artifacts let them."""
    template = load_yaml(TEMPLATE)

    def run(job, forge, **given):
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **{name: str(value) for name, value in template["variables"].items()},
            "CI_API_V4_URL": forge.url,
            "PROJECT": "class/alice",
            "COMMIT": forge.head,
        }
        if template[job].get("environment"):
            environment["TOWER_TOKEN"] = forge.token
        environment |= given
        return shell("\n".join(template[job]["script"]), tmp_path, environment)

    return run


def test_a_commit_is_graded_and_its_status_set(pipeline, tmp_path):
    files = {
        "gradient_loop.py": (ROOT / "solutions" / "gradient_loop.py").read_bytes(),
        "linear.py": b"raise ValueError\n",
        "conftest.py": b"raise SystemExit\n",
    }
    with Forge(files) as forge:
        for job in ("fetch", "grade", "report"):
            code, log = pipeline(job, forge)
            assert code == 0, log
        names = sorted(path.name for path in (tmp_path / "submission").iterdir())
        assert names == ["gradient_loop.py", "linear.py"]
        cases = ElementTree.parse(tmp_path / "report.xml").iter("testcase")
        passed = [case.get("name") for case in cases if not len(case)]
        assert "gradient_loop.predict" in passed
        assert "linear.forward" not in passed
        (status,) = forge.statuses
        assert status == {
            "state": "success",
            "name": "tower-of-insight",
            "description": "15 of 100 points",
        }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"COMMIT": "main"}, "the whole hash"),
        ({"PROJECT": "class/bob"}, "none of the modules"),
        ({"TOWER_TOKEN": "another"}, "answers with 401"),
    ],
    ids=str,
)
def test_what_cannot_be_fetched_is_said(pipeline, given, expected):
    with Forge({"linear.py": b""}) as forge:
        code, log = pipeline("fetch", forge, **given)
        assert code != 0
        assert expected in log
