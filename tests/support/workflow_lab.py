"""Runs the jobs of a workflow here as GitHub's runner would, and stands in for what lies beyond it.

The scripts of all `run:` steps run as they are, in bash, with the real curl, jq, pip and the like. GitHub's
own actions are stood in for: a checkout copies the repository, artifacts are folders. So is GitHub itself,
by a server on the loopback (Forge).
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from lab_world import ROOT
from ruamel.yaml import YAML

OUTSIDE = {"PATH", "LANG", "TMPDIR"}
"""Of our own environment, what a step has as well."""


def load_yaml(path: Path) -> Any:
    """A YAML file as plain data."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@dataclass
class Done:
    """What a job left behind."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Runner:
    """Runs jobs of one workflow. `first` is put before PATH; `given` are variables of the machine."""

    workflow: Path
    folder: Path
    context: dict[str, Any]
    first: str
    given: dict[str, str] = field(default_factory=dict)

    def run(self, job: str) -> Done:
        """One job, in a folder of its own, up to the first step that fails."""
        described = load_yaml(self.workflow)
        workspace = self.folder / job
        workspace.mkdir(parents=True)
        steps: dict[str, dict[str, Any]] = {}
        context = {**self.context, "steps": steps}
        environment = {name: os.environ[name] for name in OUTSIDE if name in os.environ}
        environment |= {
            **self.given,
            "PATH": f"{self.first}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CI": "true",
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_STEP_SUMMARY": str(self.folder / f"{job}.summary"),
        }
        environment |= filled(described.get("env", {}), context) | self.given
        code, log = 0, ""
        for number, step in enumerate(described["jobs"][job]["steps"]):
            if code and step.get("if") != "always()":
                continue
            output = self.folder / f"{job}.{number}.output"
            own = {
                **environment,
                **filled(step.get("env", {}), context),
                "GITHUB_OUTPUT": str(output),
            }
            ended, text = self._step(step, workspace, own, context)
            log += text
            code = code or (0 if step.get("continue-on-error") else ended)
            steps[step.get("id", str(number))] = {"outputs": read_outputs(output)}
        wanted = described["jobs"][job].get("outputs", {})
        outputs = filled(wanted, context) or {
            name: value for step in steps.values() for name, value in step["outputs"].items()
        }
        summary = self.folder / f"{job}.summary"
        return Done(code, log, outputs, summary.read_text() if summary.exists() else "")

    def _step(
        self, step: dict[str, Any], workspace: Path, own: dict[str, str], context: dict[str, Any]
    ) -> tuple[int, str]:
        if "run" in step:
            return shell(step["run"], workspace, own)
        wanted = filled(step.get("with", {}), context)
        match step["uses"].partition("@")[0]:
            case "actions/checkout":
                copy_checkout(workspace)
            case "actions/setup-python":
                pass
            case "actions/upload-artifact":
                if (workspace / wanted["path"]).exists():
                    shutil.copytree(workspace / wanted["path"], self._artifact(wanted["name"]))
            case "actions/download-artifact":
                if not self._artifact(wanted["name"]).exists():
                    return 1, f"There is no artifact {wanted['name']}.\n"
                shutil.copytree(self._artifact(wanted["name"]), workspace / wanted["path"])
            case "./":
                return run_action(wanted, workspace, own)
            case unknown:
                raise AssertionError(unknown)
        return 0, ""

    def _artifact(self, name: str) -> Path:
        return self.folder / "artifacts" / name


def run_action(wanted: Mapping[str, str], workspace: Path, own: dict[str, str]) -> tuple[int, str]:
    """The steps of our own action.yml."""
    action = load_yaml(ROOT / "action.yml")
    assert wanted.keys() <= action["inputs"].keys()
    inputs = {
        name: wanted.get(name, described.get("default"))
        for name, described in action["inputs"].items()
    }
    assert None not in inputs.values(), "A required input is missing."
    (step,) = action["runs"]["steps"]
    return shell(step["run"], workspace, own | filled(step["env"], {"inputs": inputs}))


def shell(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """A script as the runner starts it for `shell: bash`; its exit code and what it printed."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    return done.returncode, done.stdout


def filled(texts: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, str]:
    """Texts with their expressions replaced: names with dots, and the first that is not empty of several."""

    def value(found: re.Match[str]) -> str:
        for name in found.group(1).split("||"):
            part: Any = context
            for key in name.strip().split("."):
                part = part.get(key, {}) if isinstance(part, Mapping) else {}
            if part not in ({}, ""):
                return str(part)
        return ""

    return {key: re.sub(r"\$\{\{(.+?)\}\}", value, str(text)) for key, text in texts.items()}


def read_outputs(path: Path) -> dict[str, str]:
    """What a step has written to $GITHUB_OUTPUT, a name and a value on each line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines)


def copy_checkout(target: Path) -> None:
    """The checkout, without what git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith("tests/bank/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@dataclass
class Forge:
    """GitHub's and GitLab's answers for one repository; keeps what is posted.

    `files` are those at the head of the pull request, by path; a `Path` as value is a folder there.
    """

    files: Mapping[str, bytes]
    head: str = "0123456789abcdef0123456789abcdef01234567"
    token: str = "a-token"
    statuses: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> "Forge":
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                code, content = forge.answer(
                    self.command, self.path, self.headers, self.rfile.read(length)
                )
                self.send_response(code)
                self.end_headers()
                self.wfile.write(
                    content if isinstance(content, bytes) else json.dumps(content).encode()
                )

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the names of http.server

            def log_message(self, *unused: object) -> None:
                """Nothing: the tests print enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *unused: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> tuple[int, Any]:
        """The status and the content."""
        if self.token not in (
            headers.get("Authorization", "").removeprefix("Bearer "),
            headers.get("PRIVATE-TOKEN"),
        ):
            return 401, {"message": "Bad credentials"}
        split = urlsplit(target)
        query = parse_qs(split.query)
        if found := re.fullmatch(
            r"/projects/class%2Falice/repository/files/([^/]+)/raw", split.path
        ):
            content = self.files.get(unquote(found.group(1)))
            return (404, b"") if content is None or query["ref"] != [self.head] else (200, content)
        if split.path == f"/projects/class%2Falice/statuses/{self.head}":
            self.statuses.append({k: v[0] for k, v in parse_qs(body.decode()).items()})
            return 201, {}
        match method, split.path.removeprefix("/repos/class/alice/").split("/", 1):
            case "GET", ["pulls", "1"]:
                return 200, {"head": {"sha": self.head}}
            case "GET", ["contents", path] if query["ref"] == [self.head]:
                return self._content(path)
            case "POST", ["statuses", self.head]:
                self.statuses.append(json.loads(body))
                return 201, {}
            case "GET", ["issues", "1/comments"]:
                return 200, self.comments
            case "POST", ["issues", "1/comments"]:
                self.comments.append({"id": len(self.comments) + 1, **json.loads(body)})
                return 201, self.comments[-1]
            case "PATCH", ["issues", path] if path.startswith("comments/"):
                comment = self.comments[int(path.partition("/")[2]) - 1]
                comment |= json.loads(body)
                return 200, comment
        return 404, {"message": "Not Found"}

    def _content(self, path: str) -> tuple[int, Any]:
        if any(name.startswith(f"{path}/") for name in self.files):
            return 200, [{"type": "file", "path": n} for n in self.files if n.startswith(path)]
        if path not in self.files:
            return 404, {"message": "Not Found"}
        content = self.files[path]
        if len(content) > 1 << 20:
            return 200, {"type": "file", "encoding": "none", "content": "", "size": len(content)}
        text = base64.encodebytes(content).decode()
        return 200, {"type": "file", "encoding": "base64", "content": text, "size": len(content)}


ENGINE = f"""#!{sys.executable}
import os, shutil, subprocess, sys, tempfile

verb, *arguments = sys.argv[1:]
if verb != "run":
    sys.exit(0)
demanded = {{"--network": "none", "--tmpfs": "/tmp", "--cap-drop": "ALL", "--memory": "6g",
            "--pids-limit": "512", "--security-opt": "no-new-privileges"}}
flags = {{"--rm", "--read-only"}}
capabilities = {{"SETUID", "SETGID", "KILL"}}
mounts, environment = {{}}, {{"PATH": os.environ["PATH"], "TMPDIR": os.environ.get("TMPDIR", "/tmp")}}
with tempfile.TemporaryDirectory() as root:
    while arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option in flags:
            flags.remove(option)
            continue
        value = arguments.pop(0)
        if option == "--volume":
            outside, inside, *mode = value.split(":")
            mounts[inside] = outside
            if mode == ["ro"]:
                mounts[inside] = root + inside
                shutil.copytree(outside, root + inside)
        elif option == "--env":
            name, _, text = value.partition("=")
            environment[name] = text
        elif option == "--cap-add":
            capabilities.remove(value)
        else:
            assert demanded.pop(option) == value, option
    assert not (demanded or flags or capabilities), (demanded, flags, capabilities)
    image, *command = arguments

    def outside(text):
        for inside in sorted(mounts, key=len, reverse=True):
            if text == inside or text.startswith(inside + "/"):
                return mounts[inside] + text[len(inside):]
        return root + text if text.startswith("/github") else text

    environment = {{name: outside(text) for name, text in environment.items()}}
    grader = [{sys.executable!r}, "-m", "autograder", *map(outside, command)]
    sys.exit(subprocess.run(grader, cwd={str(ROOT)!r}, env=environment).returncode)
"""
"""In the place of `docker` where there is no container engine: holds the options of `docker run` against
those that README.md promises, and runs the command outside. `make image-test` uses a real one."""


def install_engine(folder: Path) -> str:
    """What to put before PATH: a folder with `docker` in it, and that of our own python."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "docker").write_text(ENGINE)
    (folder / "docker").chmod(0o755)
    return f"{folder}:{Path(sys.executable).parent}"
