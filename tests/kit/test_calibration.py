"""What the fit's thresholds rest on, and that course.toml says the same."""

import json
import math
import random
from dataclasses import replace

import pytest
from helpers import ROOT

from autograder import calibration
from autograder.calibration import CHANCE, STEP, Calibration, Subject
from autograder.cli import _options, calibrate
from autograder.course import load_course
from autograder.errors import CourseError, UsageError
from autograder.export import json as json_export
from autograder.export.view import message
from autograder.report import Bars, Curve, Images

MEASURED = list(calibration.read(ROOT / calibration.FILE))


def made(*accuracies):
    return Calibration("quick", 200, Subject("reference", "", accuracies), ())


LEAST = {"quick": 20, "full": 20, "recipe": 12}
"""Fits of the reference. Those of the recipe take five times as long as a full one."""


def test_every_mode_is_measured_with_the_steps_it_is_graded_with():
    course = load_course(ROOT)
    assert {c.mode for c in MEASURED} == set(course.fits)
    for found in MEASURED:
        assert found.steps == course.fits[found.mode]["steps"]
        assert len(found.reference.reached) >= LEAST[found.mode]


@pytest.mark.parametrize("found", MEASURED, ids=lambda found: found.mode)
def test_the_course_grades_by_what_was_measured(found):
    """An honest tower fails less often than once in 10,000, and students see a little more."""
    plan = load_course(ROOT).fits[found.mode]
    assert plan["threshold"] == found.threshold
    assert found.false_reject(plan["threshold"]) < CHANCE
    assert plan["threshold"] < plan["target"] < found.mean


@pytest.mark.parametrize("found", MEASURED, ids=lambda found: found.mode)
def test_the_reference_is_above_its_threshold(found):
    assert min(found.reference.reached) > found.threshold


@pytest.mark.parametrize("mode", ["quick", "full"])
def test_most_broken_towers_are_below_the_threshold(mode):
    (found,) = (calibration for calibration in MEASURED if calibration.mode == mode)
    assert all(subject.accuracies for subject in found.broken)
    below = [s for s in found.broken if max(s.reached, default=0) < found.threshold]
    assert len(below) > len(found.broken) / 2


def test_the_threshold_is_the_highest_that_is_safe():
    found = made(0.94, 0.95, 0.945, 0.952, 0.938, 0.947, 0.949, 0.941)
    assert found.threshold / STEP == pytest.approx(round(found.threshold / STEP))
    assert (
        found.false_reject(found.threshold) < CHANCE <= found.false_reject(found.threshold + STEP)
    )


def test_the_chance_of_a_false_reject_is_that_of_a_simulation():
    """Of many courses, each with five fits and a threshold set by them, how many reject a sixth?"""
    rng, rejected, chance = random.Random(3), 0, 0.0
    for _ in range(4000):
        *fits, further = (1 - math.exp(rng.gauss(-3, 0.2)) for _ in range(6))
        found = made(*fits)
        threshold = 1 - (1 - min(fits)) * 1.1
        rejected += further < threshold
        chance += found.false_reject(threshold)
    assert rejected == pytest.approx(chance, rel=0.1)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / calibration.FILE
    first = replace(made(0.9, 0.91, 0.92), broken=(Subject("lazy", "It rests.", (0.1, None)),))
    calibration.write([first], path)
    assert list(calibration.read(path)) == [first]
    second = made(0.8, 0.81, 0.82)
    calibration.write([*calibration.read(path), second], path)
    assert list(calibration.read(path)) == [second]
    assert json.loads(path.read_text())["fits"]["quick"]["mean"] == 0.81


@pytest.mark.parametrize("text", ["", "[]", '{"fits": {"quick": {}}}', '{"fits": 3}'])
def test_a_file_that_is_no_calibration_is_named(tmp_path, text):
    path = tmp_path / calibration.FILE
    path.write_text(text)
    with pytest.raises(CourseError, match="is not what tower calibrate writes"):
        list(calibration.read(path))


def test_the_picture_is_whole_and_the_same_each_time(tmp_path):
    found = replace(made(0.9, 0.91, 0.92), broken=(Subject("lazy", "It rests.", (0.1, None)),))
    texts = []
    for name in ("one.svg", "two.svg"):
        calibration.plot([found], load_course(ROOT), tmp_path / name)
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]
    assert "lazy" in texts[0]
    assert texts[0].rstrip().endswith("</svg>")


@pytest.mark.fit
def test_a_fit_is_the_one_that_grading_makes(course, broker, judge, solutions):
    """The same seed gives the same accuracy in the report and in a calibration."""
    plan = {**course.fits["quick"], "steps": 3, "threshold": 0.0, "target": 0.0}
    short = replace(course, fits={**course.fits, "quick": plan})
    from autograder.grading import grade
    from tower_student.submission import Submission

    job = calibration.Job(calibration.REFERENCE, solutions, "quick", 5, "tower.mnist_fit")
    reached = calibration.fit(short, broker, job)
    report = grade(
        short, Submission("s", solutions, {}), broker, seed=5, fit="quick", only=["tower"]
    )
    (text,) = (message(c) for m in report.modules for c in m.checks if c.id == "tower.mnist_fit")
    assert text.startswith(f"{100 * reached:.2f} % of 10,000")
    (measured,) = report.measured
    assert (measured.name, round(measured.value, 6)) == ("MNIST accuracy", reached)
    assert [type(figure) for figure in report.figures] == [Bars, Curve, Images]
    assert json_export.parse(json_export.render(report)) == report


def test_a_missing_library_is_named_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(_options.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"matplotlib and scipy must be installed .*\[calibrate\]"):
        calibrate.calibrate(fit="quick")
