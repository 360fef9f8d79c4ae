"""The attack lab, attack by attack: nothing is gained here, and the lab would see it if it were."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attack_lab import Part, attacks
from helpers import ROOT

from autograder.sandbox.lockdown import MECHANISMS

pytestmark = pytest.mark.attacks

LAB = ROOT / "tests" / "support" / "attack_lab.py"
NOBODY = 65534
GAINS_WITHOUT_PROTECTION = {
    "read_hidden_tests": "the hidden test secret came out",
    "write_results": "results.json was changed",
    "kill_victim": "the victim was ended",
    "tcp_connection": "the tcp listener received something",
    "shell": "a shell: free",
}
PLACES = (Path("/usr/local/bin"), Path("/usr/bin"))
"""Where interpreters lie that everybody may start."""


def run_lab(folder, *arguments):
    """The lab's records, and its exit code."""
    found = folder / "attacks.json"
    command = [sys.executable, str(LAB), "--json", str(found), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert found.exists(), done.stdout + done.stderr
    return json.loads(found.read_text()), done.returncode


def gains(records, kind):
    return {r["name"]: r[kind]["gained"] for r in records["attacks"] if r[kind]["gained"]}


ATTACKS = attacks()
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


@pytest.fixture(scope="module")
def ours():
    with Part("ours") as part:
        yield part


@pytest.fixture(scope="module")
def naive():
    with Part("naive") as part:
        yield part


@pytest.fixture(scope="module")
def ordinary():
    """Our grader, started by a user that is not root."""
    if os.geteuid() != 0:
        pytest.skip("The tests run as an ordinary user already.")
    with tempfile.TemporaryDirectory(prefix="toi-ordinary-") as name:
        folder = Path(name)
        os.chown(folder, NOBODY, NOBODY)
        python = ordinary_python(folder)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": folder}
        with Part("ours", python=python, **user) as part:
            yield part


@each_attack
def test_an_attack_gains_nothing(ours, attack):
    assert ours.run(attack.name)["gained"] == []


@each_attack
def test_an_attack_gains_something_from_a_naive_grader_or_says_why_not(naive, attack):
    assert naive.run(attack.name)["gained"] or attack.not_naive


@each_attack
def test_an_attack_of_an_ordinary_user_gains_nothing(ordinary, attack):
    """A grader that is not root has fewer means: it cannot give its workers a user of their own."""
    record = ordinary.run(attack.name)
    assert record["user"] == "an ordinary user"
    assert record["gained"] == []


def test_the_bank_holds_attacks_of_every_family():
    families = {"secrets", "forgery", "lies", "signals", "floods", "network", "files"}
    assert len(ATTACKS) >= 60
    assert families <= {attack.family for attack in ATTACKS}


def test_every_attack_stands_in_the_documentation():
    documented = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
    assert [attack.name for attack in attacks() if f"`{attack.name}`" not in documented] == []


def test_the_lab_sees_what_attacks_gain_without_protection(tmp_path):
    """A lab that is blind would find nothing either."""
    names = ",".join(GAINS_WITHOUT_PROTECTION)
    records, code = run_lab(
        tmp_path, "--no-naive", "--only", names, "--without", ",".join(MECHANISMS)
    )
    seen = gains(records, "ours")
    assert {name: seen.get(name, [""])[0] for name in seen} == GAINS_WITHOUT_PROTECTION
    assert code == 1


def test_the_lab_ends_with_0_where_a_naive_grader_alone_gives_something(tmp_path):
    records, code = run_lab(tmp_path, "--only", "read_hidden_tests")
    assert gains(records, "naive").keys() == {"read_hidden_tests"}
    assert gains(records, "ours") == {}
    assert code == 0


def ordinary_python(folder):
    """An interpreter like ours that an ordinary user may start: an environment over our packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = Path(pytest.__file__).parents[1]
    for number, folder_of_it in enumerate((Path(sys.executable).resolve().parent, *PLACES)):
        place = folder_of_it / version
        environment = folder / str(number)
        (environment / "bin").mkdir(parents=True)
        (environment / "lib" / version / "site-packages").mkdir(parents=True)
        (environment / "pyvenv.cfg").write_text(f"home = {folder_of_it}\n")
        (environment / "bin" / "python").symlink_to(place)
        (environment / "lib" / version / "site-packages" / "ours.pth").write_text(
            f"{packages}\n{ROOT / 'student'}\n"
        )
        command = [environment / "bin" / "python", "-I", "-c", "import torch, pytest"]
        needed = [*command[:-1], f"{command[-1]}; open({str(ROOT / 'course.toml')!r})"]
        try:
            done = subprocess.run(
                needed,
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                cwd=folder,
                capture_output=True,
                check=False,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return str(environment / "bin" / "python")
    pytest.skip(
        f"There is no {version} that an ordinary user may start with these packages and this checkout."
    )
