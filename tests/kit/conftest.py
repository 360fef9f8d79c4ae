"""Fixtures for the tests of the kit: a grader that stays warm, and submissions made in memory."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from command import warm_broker
from helpers import ROOT, problems_of
from kept import Kept

from autograder.broker import Broker
from autograder.course import Course, course_root, load_course
from autograder.grading import grade, prepare_process
from autograder.report import Report
from tower_student.submission import Submission

KINDS = {"unit", "sandbox", "fit", "bank", "attacks", "browser", "container"}
"""The markers of pyproject.toml: `pytest` alone runs those that are unit, `make test` all."""
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BY_FIXTURE = {"broker": "sandbox", "judge": "sandbox", "browser": "browser"}

prepare_process()  # many tests grade in the process of pytest
# Threads of torch that spin while they wait make `tower check` three times as long on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # for the commands that tests start


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they take, and as unit those that nothing else marks.

    Where nothing is named, neither a file nor -m or -k, the unit tests alone are run.
    """
    for item in items:
        for fixture in BY_FIXTURE.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(BY_FIXTURE[fixture])
        if KINDS.isdisjoint(mark.name for mark in item.iter_markers()):
            item.add_marker("unit")
    named = config.option.markexpr or config.option.keyword
    if not named and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.hook.pytest_deselected(items=[i for i in items if not i.get_closest_marker("unit")])
        items[:] = [item for item in items if item.get_closest_marker("unit")]


@pytest.fixture(scope="session")
def course() -> Course:
    """The course of this checkout, with deadlines short enough for tests of endless loops."""
    loaded = load_course(course_root())
    policy = replace(loaded.policy, import_seconds=10.0, check_seconds=5.0)
    return replace(loaded, policy=policy)


@pytest.fixture(scope="session")
def broker(course: Course) -> Iterator[Broker]:
    with Broker(course.policy) as broker:
        broker.start()
        yield broker


@pytest.fixture(scope="session", autouse=True)
def _warm_broker() -> Iterator[None]:
    """Close what tests that run a command have started."""
    yield
    warm_broker.close()


@pytest.fixture(scope="session")
def solutions(course: Course) -> dict[str, bytes]:
    """The reference solutions, by module."""
    return {name: (ROOT / "solutions" / f"{name}.py").read_bytes() for name in course.modules}


@pytest.fixture(scope="session")
def judge(course: Course, broker: Broker) -> Callable[..., Report]:
    """Grade modules given as text; with `only`, just these."""

    def judge(
        sources: Mapping[str, bytes],
        only: str = "",
        seed: int = 1,
        fit: str = "off",
        device: str = "cpu",
    ) -> Report:
        submission = Submission("in-memory", dict(sources), problems_of(sources, course))
        modules = only.split(",") if only else ()
        return grade(course, submission, broker, seed=seed, fit=fit, device=device, only=modules)

    return judge


@pytest.fixture(scope="session")
def judged(
    course: Course, judge: Callable[..., Report], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Mapping[str, bytes], int], Report]:
    """Grade modules as `judge` does; a report that another test of this run has asked for is that one."""
    folder = tmp_path_factory.getbasetemp()
    kept = Kept((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "reports")

    def judged(sources: Mapping[str, bytes], seed: int) -> Report:
        digest = Submission("", dict(sources), problems_of(sources, course)).digest
        report: Report = kept.get(f"{digest}-{seed}", lambda: judge(sources, seed=seed))
        return report

    return judged


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium, as Debian packages it, driven by Playwright."""
    from playwright.sync_api import sync_playwright  # these tests alone need it

    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        assert "CI" not in os.environ, "apt-get install chromium"
        pytest.skip("NOT VERIFIED: there is no Chromium; apt-get install chromium.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()
