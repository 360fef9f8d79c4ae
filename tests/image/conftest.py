"""Builds the image from the Dockerfile, once for all tests, with Docker or, where there is none, podman."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from workflow_lab import copy_checkout

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
IMAGE = "localhost/tower:test"
CONFINED = (
    *("--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)
CAPABILITIES = ("SETUID", "SETGID", "KILL")


@dataclass(frozen=True)
class Engine:
    """Docker, or what stands for it. `path` is a PATH on which `docker` is found."""

    path: str
    base: str

    def __call__(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of its commands."""
        environment = {**os.environ, "PATH": self.path}
        command = ["docker", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def build(self, folder: Path) -> tuple[str, float]:
        """Build the image of a checkout; the log, and the seconds it took."""
        base = ["--build-arg", f"BASE={self.base}"] if self.base else []
        started = time.monotonic()
        done = self("build", *base, "--tag", IMAGE, folder)
        return done.stdout + done.stderr, time.monotonic() - started

    def tower(self, *arguments: object, options: tuple[object, ...] = (), check: bool = True):
        """`tower` in a container as README.md has it: no network, a read-only root, next to no rights."""
        capabilities = [part for name in CAPABILITIES for part in ("--cap-add", name)]
        command = ["run", *CONFINED, *capabilities, *options, IMAGE, *arguments]
        return self(*command, check=check)


@pytest.fixture(scope="session")
def engine():
    """A container engine that works here."""
    done = subprocess.run([HERE / "prepare.sh"], stdout=subprocess.PIPE, text=True, check=True)
    base = done.stdout.strip()
    path = f"{HERE}:{os.environ['PATH']}" if base else os.environ["PATH"]
    return Engine(path, base)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of the checkout, which may be changed."""
    folder = tmp_path_factory.mktemp("checkout") / "tower"
    copy_checkout(folder)
    return folder


@pytest.fixture(scope="session")
def say(request):
    """Print to the terminal at once, whatever pytest captures."""
    manager = request.config.pluginmanager.getplugin("capturemanager")

    def say(text):
        with manager.global_and_fixture_disabled():
            print(f"\n{text}", flush=True)

    return say


@pytest.fixture(scope="session")
def image(engine, checkout, say):
    """The image, built; what it took is printed."""
    say("Building the image")
    log, seconds = engine.build(checkout)
    size = int(engine("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout)
    say(
        f"The image: {size / 1e9:.2f} GB, built in {seconds:.0f} s over {engine.base or 'python:slim'}"
    )
    return log


@pytest.fixture
def open_folder(tmp_path):
    """A folder that the container's root may write to, whoever that is out here."""
    tmp_path.chmod(0o777)
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)
