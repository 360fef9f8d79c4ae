"""A class on a real Dask scheduler and its workers: the same points as here, whatever becomes of a worker."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from distributed import Client
from helpers import ROOT
from ways import class_of

from autograder.bank import Bank
from autograder.classroom.gradebook import Gradebook
from autograder.export.view import message

pytestmark = pytest.mark.sandbox

DASK = Path(sys.executable).parent / "dask"
QUIET = {
    "DASK_LOGGING__DISTRIBUTED": "error",
    "DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "False",
    "TOWER_COURSE": "",
}
QUICK = ("--fit", "off", "--only", "gradient_loop", "--seed", "5")
SIZE = 10


class Cluster:
    """A scheduler on the loopback, and as many workers as are started."""

    def __init__(self, folder):
        self.folder, self.processes = folder, {}
        file = folder / "scheduler.json"
        self._start("scheduler", "scheduler", "--port", "0", "--scheduler-file", str(file))
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(FileNotFoundError, ValueError):
                self.address = json.loads(file.read_text())["address"]
                return
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def worker(self, name, *options, **environment):
        """With a nanny, as `dask worker` comes."""
        given = ["worker", self.address, "--name", name, "--nthreads", "1", "--memory-limit", "0"]
        given += ["--local-directory", str(self.folder), *options]
        self._start(name, *given, **environment)

    def wait_for_workers(self, count):
        """Until so many are known to the scheduler."""
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=30)

    def wait_for_client(self):
        """Until `tower class` is connected: a worker that starts now comes after its first question."""
        with Client(self.address, set_as_default=False) as client:
            deadline = time.monotonic() + 30
            while not set(client.run_on_scheduler(connected)) - {client.id, "fire-and-forget"}:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def _start(self, name, *arguments, **environment):
        common = ["--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [str(DASK), *arguments, *common],
                env={**os.environ, **QUIET, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
            )

    def kill(self, name):
        """A worker's machine goes, with all that runs on it."""
        started = self.processes.pop(name)
        with contextlib.suppress(psutil.NoSuchProcess):  # workers end with their scheduler
            root = psutil.Process(started.pid)
            for process in (*root.children(recursive=True), root):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        started.wait()

    def close(self):
        """End all of it."""
        for name in list(self.processes):
            self.kill(name)


def connected(dask_scheduler):
    """The names of its clients."""
    return list(dask_scheduler.clients)


connected.__module__ = "__main__"  # sent by value: the scheduler has no tests


@pytest.fixture
def cluster(tmp_path):
    started = Cluster(tmp_path)
    yield started
    started.close()


@pytest.fixture(scope="module")
def small_class(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "class"
    class_of("gradient_loop", SIZE, folder, step=9)
    return folder


def start(folder, out, *options):
    command = [sys.executable, "-m", "autograder", "class", str(folder), "--out", str(out)]
    return subprocess.Popen(
        [*command, *QUICK, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def results(out):
    with Gradebook(out, make=False) as book:
        settings = book.last_settings()
        return {
            g.student: [
                (c.id, c.status, message(c)) for m in book.report(g.id).modules for c in m.checks
            ]
            for g in book.gradings(settings)
        }, len(book.gradings(settings))


def test_a_class_on_a_cluster_gets_what_it_gets_here_though_a_worker_dies(
    cluster, small_class, tmp_path
):
    cluster.worker("one")
    cluster.worker("two")
    process = start(small_class, tmp_path / "there", "--cluster", cluster.address)
    for line in process.stderr:  # one for each tenth
        if line.startswith("graded"):
            break
    cluster.kill("two")
    rest = threading.Thread(target=process.stderr.read)
    rest.start()
    assert process.wait(120) == 0
    rest.join()
    assert start(small_class, tmp_path / "here").wait(120) == 0
    (there, rows), (here, _) = results(tmp_path / "there"), results(tmp_path / "here")
    assert rows == SIZE, "each of them once"
    assert there == here


def ended(process):
    _, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr
    return process.returncode, " ".join(stderr.split())


def test_a_class_goes_on_where_a_scheduler_left_it(cluster, small_class, tmp_path):
    cluster.worker("one")
    process = start(small_class, tmp_path / "out", "--cluster", cluster.address)
    for line in process.stderr:
        if line.startswith("graded"):
            break
    cluster.kill("scheduler")
    code, text = ended(process)
    assert code == 3
    assert "The scheduler is gone. What has been graded is kept" in text
    kept = results(tmp_path / "out")[1]
    assert 1 <= kept < SIZE
    assert start(small_class, tmp_path / "out").wait(120) == 0
    assert results(tmp_path / "out")[1] == SIZE


@pytest.mark.parametrize("joins", ["before", "later"])
def test_a_worker_with_another_kit_grades_nothing(cluster, small_class, tmp_path, joins):
    other = tmp_path / "course"
    for name in ("tests/hidden", "assignments/tests"):
        shutil.copytree(ROOT / name, other / name)
    (other / "course.toml").write_text((ROOT / "course.toml").read_text() + "\n# changed\n")
    if joins == "before":
        cluster.worker("one", TOWER_COURSE=str(other))
        cluster.wait_for_workers(1)
    process = start(small_class, tmp_path / "out", "--cluster", cluster.address)
    if joins == "later":
        cluster.wait_for_client()
        cluster.worker("one", TOWER_COURSE=str(other))
    code, text = ended(process)
    assert code == 2
    assert "holds another kit" in text
    assert not (tmp_path / "out" / "index.html").exists()


def test_a_gpus_work_waits_for_a_worker_that_offers_one(cluster, small_class, monkeypatch):
    """The resource is asked for; without a worker that has it the class ends with a sentence."""
    from autograder.classroom import Job
    from autograder.classroom import cluster as module
    from autograder.classroom.gradebook import Settings
    from autograder.course import course_root, load_course
    from autograder.errors import GraderFault
    from tower_student.submission import Submission

    course = load_course(course_root())
    settings = Settings("off", "cuda", ("gradient_loop",))
    job = Job(Submission("x", Bank(ROOT).solutions(["gradient_loop"]), {}), settings, 1)
    crew = module.cluster_crew(course, settings, "C", cluster.address)
    cluster.worker("plain")
    with monkeypatch.context() as patched:
        patched.setattr(module, "PATIENCE", 2.0)
        with pytest.raises(GraderFault, match=r"no worker that offers GPU=1"):
            list(crew([job]))
    cluster.worker("graphic", "--resources", "GPU=1")
    ((number, report),) = crew([job])  # a module without a check that needs one
    assert (number, report.device, report.score) == (0, "cuda", 15)


@pytest.mark.parametrize("kind", ["nobody", "silent", "no port", "other scheme"])
def test_an_address_without_a_scheduler_is_a_usage_error(small_class, tmp_path, kind, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if kind == "nobody":
            server.close()
        address = {"no port": "tcp://127.0.0.1", "other scheme": "http://127.0.0.1:80"}.get(
            kind, f"tcp://127.0.0.1:{port}"
        )
        code, text = ended(start(small_class, tmp_path / "out", "--cluster", address))
    assert code == 2
    assert re.search(r"no Dask scheduler answers|write it as in tcp://HOST:8786", text), text
