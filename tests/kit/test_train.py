"""`tower train` and `tower draw`: what is trained, lent, shown, kept and served. No time is asserted."""

import base64
import contextlib
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import urllib.parse
from functools import partial

import numpy as np
import pytest
import torch
from command import tower
from helpers import PHONE, ROOT
from rich.console import Console
from rich.text import Text
from test_student import ELSEWHERE

from autograder.course import load_course
from autograder.release import student_repository, write
from tower_student import drawing, pictures, training, training_page, update
from tower_student.errors import UsageError

HEARS_CTRL_C = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
"""For commands that are stopped: a shell's job in the background would ignore it."""
COURSE = load_course(ROOT)
REPOSITORY = student_repository(COURSE)
MODULES = ("linear", "conv2d", "kaiming_init", "tower")
SOLUTIONS = {name: (ROOT / "solutions" / f"{name}.py").read_text() for name in MODULES}
PARTS = ["linear", "conv2d", "kaiming_init", "TowerOfInsight", "train_epoch", "evaluate"]
OWN = "yours: " + ", ".join(PARTS)
PLAN = training.plan_of(ROOT / "assignments")


def few(data, images=96, tests=40):
    """The first images of the data, in the file that students receive."""
    packed = io.BytesIO()
    cut = (
        data.images[:images],
        data.labels[:images],
        data.test_images[:tests],
        data.test_labels[:tests],
    )
    named = zip(("images", "labels", "test_images", "test_labels"), cut, strict=True)
    np.savez_compressed(
        packed,
        **{name: (tensor[:, 0] if tensor.ndim > 1 else tensor).numpy() for name, tensor in named},
    )
    return packed.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / PLAN.packed
    path.write_bytes(REPOSITORY[next(p for p in REPOSITORY if p.name == PLAN.packed)])
    return training.Data(*PLAN.read(path))


@pytest.fixture
def repository(tmp_path, data):
    """A student's repository with few images, and nothing written."""
    write(REPOSITORY, tmp_path / "mine")
    (tmp_path / "mine" / "tests" / PLAN.packed).write_bytes(few(data))
    return tmp_path / "mine"


def solve(folder, *modules, **changes):
    """Write the reference's modules; a change is a pair of texts, the old one and the new one."""
    for name in (*modules, *changes):
        old, new = changes.get(name, ("", ""))
        assert old in SOLUTIONS[name]
        text = SOLUTIONS[name].replace(old, new) if old else SOLUTIONS[name]
        (folder / f"{name}.py").write_text(text)


def train(folder, *options):
    """Run the command; returns what it prints on one line."""
    done = tower("train", "--epochs", "1", *options, cwd=folder)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


# What students receive


def test_a_release_packs_a_part_of_the_data(data):
    assert data.images.shape == (6000, 1, 28, 28)
    assert data.test_images.shape == (1000, 1, 28, 28)
    assert data.labels.bincount().min() > 500
    assert data.test_labels.bincount().min() > 80
    (content,) = (c for p, c in REPOSITORY.items() if p.name == PLAN.packed)
    assert len(content) < 1.5e6


def test_the_packed_part_is_a_file_of_the_release(tmp_path):
    """`tower update` brings it to whoever has an earlier release."""
    write(REPOSITORY, tmp_path / "new")
    write(REPOSITORY, tmp_path / "old")
    manifest = tmp_path / "old" / "tests" / "course.json"
    known = json.loads(manifest.read_text())
    del known["files"][f"tests/{PLAN.packed}"]
    manifest.write_text(json.dumps(known))
    (tmp_path / "old" / "tests" / PLAN.packed).unlink()
    planned = update.plan(tmp_path / "old", tmp_path / "new")
    assert list(planned.written) == [f"tests/{PLAN.packed}"]


def idx(array):
    return (
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


@pytest.fixture
def four_files(tmp_path):
    """MNIST's own four files, with two images each."""
    folder = tmp_path / "four"
    folder.mkdir()
    for name in PLAN.whole:
        shape = (2, 28, 28) if "images" in name else (2,)
        (folder / name.removesuffix(".gz")).write_bytes(idx(np.ones(shape, np.uint8)))
    return folder


def test_a_folder_of_mnists_own_files_is_read(four_files):
    data = training.data_of(PLAN, ROOT, four_files)
    assert data.images.shape == (2, 1, 28, 28)
    assert data.labels.tolist() == [1, 1]


def test_data_that_cannot_be_read_are_named(four_files, tmp_path):
    with pytest.raises(UsageError, match=r"nowhere is not there: name the folder"):
        training.data_of(PLAN, ROOT, tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"digits.npz is not there.*--whole.*--data"):
        training.data_of(PLAN, tmp_path)
    file = four_files / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UsageError, match="is damaged, or no file of MNIST's"):
        training.data_of(PLAN, ROOT, four_files)
    file.unlink()
    with pytest.raises(UsageError, match="train-images-idx3-ubyte is not there"):
        training.data_of(PLAN, ROOT, four_files)
    (four_files / "broken.npz").write_bytes(b"PK\3\4")
    with pytest.raises(UsageError, match="holds no data that can be read"):
        training.data_of(PLAN, ROOT, four_files / "broken.npz")


def with_whole(address, digest="0" * 64):
    whole = {"a.gz": (address, digest)}
    return training.Plan(**{**vars(PLAN), "whole": whole})


def test_without_a_network_the_part_is_recommended(tmp_path):
    with pytest.raises(
        UsageError, match=r"cannot be downloaded: .*Without --whole.*needs no network"
    ):
        training.download(with_whole("http://127.0.0.1:9/a.gz"), tmp_path, lambda *_: None)
    assert not list(tmp_path.rglob("*.gz"))


def test_a_download_is_compared_with_its_digest_and_kept(tmp_path):
    source = tmp_path / "source.gz"
    with contextlib.closing(gzip.open(source, "wb")) as file:
        file.write(b"digits")
    digest = hashlib.sha256(b"digits").hexdigest()
    with pytest.raises(UsageError, match="is not the file that this course expects"):
        training.download(with_whole(source.as_uri()), tmp_path, lambda *_: None)
    plan, told = with_whole(source.as_uri(), digest), []
    target = training.download(plan, tmp_path, lambda *said: told.append(said))
    assert (target / "a.gz").read_bytes() == source.read_bytes()
    assert told[-1] == ("a.gz", 1.0)
    source.unlink()
    assert training.download(plan, tmp_path, lambda *_: None) == target, "not downloaded again"


def test_a_course_that_trains_nothing_says_so(tmp_path):
    (tmp_path / "tests").mkdir()
    done = tower("train", "--in", tmp_path)
    assert done.returncode == 2
    assert "training.py,whichnameswhatistrained" in "".join(done.stderr.split())
    (tmp_path / "tests" / "training.py").write_text("PARTS = []\n")
    with pytest.raises(UsageError, match="names nothing that is trained"):
        training.plan_of(tmp_path)
    (tmp_path / "tests" / "training.py").write_text("TRAINING = {'parts': [], 'modle': 1}\n")
    with pytest.raises(UsageError, match=r"does not say what to train: TypeError: .*modle"):
        training.plan_of(tmp_path)


# What is the student's, and what is lent


@pytest.mark.sandbox
def test_a_tower_that_is_whole_is_trained_kept_and_shown(repository):
    solve(repository, *MODULES)
    code, text = train(repository)
    assert code == 0, text
    assert OWN in text
    assert re.search(r"epoch 1 of 1: mean loss \d\.\d+, \d+\.\d % of the test images right", text)
    assert re.search(r"reads \d+ of 40 images rightly", text)
    assert "2 steps of training" in text
    assert "Its worst mistakes" in text
    assert "The page: training.html" in text
    kept = torch.load(repository / training.WEIGHTS, weights_only=True)
    assert kept["steps"] == 2
    assert sum(tensor.numel() for tensor in kept["state"].values()) == 421_642


@pytest.mark.sandbox
def test_nothing_written_is_lent_whole(repository):
    code, text = train(repository)
    assert code == 0, text
    assert f"lent: {', '.join(PARTS)}; yours: nothing yet" in text
    assert f"Not written yet: {', '.join(PARTS)}." in text


@pytest.mark.sandbox
def test_what_does_not_work_is_lent_with_its_reason_and_line(repository):
    """linear is right, conv2d raises, tower.py is half written, kaiming_init.py is away."""
    solve(repository, "linear", conv2d=("padded = F.pad(input,", "padded = F.pad(undefined_name,"))
    (repository / "kaiming_init.py").unlink()
    source = SOLUTIONS["tower"]
    begin = source.index("    ### BEGIN SOLUTION Count the right")
    (repository / "tower.py").write_text(
        f"{source[:begin]}    raise NotImplementedError('count')\n"
    )
    code, text = train(repository)
    assert code == 0, text
    assert (
        "lent: conv2d, kaiming_init, evaluate; yours: linear, TowerOfInsight, train_epoch" in text
    )
    assert "Does not work yet: conv2d. NameError: name 'undefined_name' is not defined" in text
    assert re.search(r"Your line: conv2d\.py, line \d+, in im2col", text)
    assert "Not written yet: kaiming_init, evaluate." in text
    page = (repository / "training.html").read_text()
    assert "lent: conv2d, kaiming_init, evaluate; yours: linear" in page
    assert "undefined_name" in page


BROKEN = {
    "cannot be read": (
        {"tower": ("return total / samples", "return (")},
        [
            "Does not work yet: TowerOfInsight, train_epoch, evaluate. SyntaxError",
            "Your line: tower.py",
        ],
    ),
    "exits": (
        {"linear": ("import math", "import math\nraise SystemExit")},
        ["lent: linear;", "SystemExit", "Your line: linear.py"],
    ),
    "of another shape": (
        {"linear": ("output = input @ self.weight.T", "output = (input @ self.weight.T)[None]")},
        ["lent: linear;", "is of shape (1, 2, 3); expected (2, 3)"],
    ),
    "has no gradient": (
        {
            "conv2d": (
                "return self.forward_im2col(input)",
                "return self.forward_im2col(input).detach()",
            )
        },
        ["lent: conv2d;", "does not require grad"],
    ),
    "raises": (
        {"tower": ("total += loss.item()", "total += loss.nothing")},
        ["lent: train_epoch;", "AttributeError", "Your line: tower.py", "total += loss.nothing"],
    ),
    "trains nothing": (
        {"tower": ("optimizer.step()", "pass")},
        ["lent: train_epoch;", "the weights are as they were"],
    ),
    "prints": (
        {"linear": ("output = input", "print('printed in forward'); output = input")},
        [OWN],
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_part_is_tried_before_it_is_used(repository, kind):
    changes, told = BROKEN[kind]
    solve(repository, *MODULES, **changes)
    plan, out = training.plan_of(repository), io.StringIO()
    elsewhere = {name: sys.modules.get(name) for name in MODULES}  # of this process's other tests
    with contextlib.ExitStack() as stack:
        with contextlib.redirect_stdout(out):
            shop = stack.enter_context(training.workshop(repository, plan))
        said = f"{training_page.lent(shop)}\n" + "\n".join(training.reasons(shop.loans))
        assert shop.new_model()(torch.rand(1, 1, 28, 28)).shape == (1, 10)
    assert out.getvalue() == ""
    for words in told:
        assert words in said, said
    assert elsewhere == {name: sys.modules.get(name) for name in MODULES}, "they are forgotten"


FAULTS = {
    "raises late": (
        {"tower": ("samples += len(labels)", "samples += len(labels); 1 / (len(labels) - 32)")},
        r"stopped at step 2 of training: ZeroDivisionError.*tower\.py, line \d+, in train_epoch",
    ),
    "grows without bounds": (
        {
            "tower": (
                "return self.fc2(F.relu(self.fc1(hidden)))",
                "return self.fc2(hidden[:, :128]) / 0",
            )
        },
        r"The loss is nan at step 1: the numbers have grown",
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("kind", FAULTS)
def test_what_fails_in_training_is_a_sentence_with_its_line(repository, kind):
    changes, told = FAULTS[kind]
    solve(repository, *MODULES, **changes)
    done = tower("train", "--epochs", "1", cwd=repository)
    text = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, text
    assert re.search(told, text), text
    assert "Traceback" not in text
    assert not (repository / training.WEIGHTS).exists()


@pytest.mark.sandbox
def test_a_second_training_may_go_on_where_the_first_ended(repository):
    solve(repository, *MODULES)
    assert train(repository, "--resume")[0] == 2, "there is nothing to go on from"
    assert train(repository)[0] == 0
    first = torch.load(repository / training.WEIGHTS, weights_only=True)
    assert train(repository, "--resume")[0] == 0
    second = torch.load(repository / training.WEIGHTS, weights_only=True)
    assert (first["steps"], second["steps"]) == (2, 4)
    assert train(repository)[0] == 0
    again = torch.load(repository / training.WEIGHTS, weights_only=True)
    assert again["state"]["fc2.bias"].equal(first["state"]["fc2.bias"]), "the same seed"
    (repository / training.WEIGHTS).write_bytes(b"no weights")
    code, text = train(repository, "--resume")
    assert code == 2
    assert "the file is damaged. Run tower train." in text
    torch.save({"state": {}, "steps": 1}, repository / training.WEIGHTS)
    assert "they do not fit your model" in train(repository, "--resume")[1]


@pytest.mark.sandbox
@pytest.mark.parametrize("step", [0, 1, 2])
def test_ctrl_c_keeps_what_was_learnt(repository, step):
    """It comes in the loop, before a step, as if the student had pressed it there."""
    text = SOLUTIONS["tower"].replace("optimizer.zero_grad()", "_count(); optimizer.zero_grad()")
    # The first call is the trial's.
    text += f"\n\n_left = list(range({step + 1}))\n\n\ndef _count():\n"
    text += "    if not _left:\n        raise KeyboardInterrupt\n    _left.pop()\n"
    solve(repository, *MODULES)
    (repository / "tower.py").write_text(text)
    code, text = train(repository, "--epochs", "2")
    assert code == 130, text
    assert (repository / training.WEIGHTS).exists() is (step > 0)
    if step:
        assert f"{step} of 4 steps are trained; the weights are in" in text
        assert ("epoch 1 of 2" in text) is (step == 2)
        assert (repository / "training.html").exists()
    else:
        assert "Nothing was trained yet" in text


@pytest.mark.sandbox
@pytest.mark.skipif(os.name == "nt", reason="a signal to another process")
def test_a_signal_ends_the_command_with_what_was_learnt(repository, data):
    """Ctrl-C in a process of its own, when the first epoch has been reported."""
    solve(repository, *MODULES)
    command = [sys.executable, "-u", "-m", "autograder", "train", "--epochs", "1000"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        cwd=repository,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=HEARS_CTRL_C,
    ) as process:
        for line in process.stdout:
            if line.startswith("epoch 1 of 1000"):
                process.send_signal(signal.SIGINT)
                break
        out, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert "of 2,000 steps are trained" in " ".join(errors.split())
    assert "The page: training.html" in out
    assert (repository / training.WEIGHTS).exists()


@pytest.mark.sandbox
def test_the_released_command_trains_without_what_only_linux_has(repository):
    solve(repository, *MODULES)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = ELSEWHERE.format(arguments=["train", "--epochs", "1"])
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "The page: training.html" in done.stdout


# Pictures


def png(address):
    """Width and height of an image that a page holds."""
    content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert content.startswith(b"\x89PNG")
    return struct.unpack(">II", content[16:24])


def test_pixels_become_an_image():
    assert png(pictures.as_png(pictures.grey(torch.rand(5, 3)))) == (3, 5)
    red = pictures.signed(torch.tensor([[-1.0, 0.0, 2.0]]), 2.0)
    assert red[0, 1].tolist() == [0, 0, 0]
    assert red[0, 2, 2] > red[0, 2, 0], "positive is blue"
    assert red[0, 0, 0] > red[0, 0, 2], "negative is orange"


CONSOLES = {
    "blocks": ({"encoding": "utf-8", "color": None}, "█", "\x1b"),
    "greys": ({"encoding": "utf-8", "color": "truecolor"}, "\x1b[38;2;255;255;255", "@"),
    "characters": ({"encoding": "ascii", "color": None}, "@", "█"),
}


@pytest.mark.parametrize("kind", CONSOLES)
def test_a_digit_is_drawn_as_the_console_can(kind):
    options, there, absent = CONSOLES[kind]
    out = io.TextIOWrapper(io.BytesIO(), encoding=options["encoding"], errors="replace")
    console = Console(
        file=out, width=40, color_system=options["color"], force_terminal=bool(options["color"])
    )
    images = torch.zeros(5, 28, 28)
    images[:, 4:24, 10:18] = 1
    captions = [Text(f"{i}, 99 %") for i in range(5)]
    console.print(pictures.in_characters(images, captions, console))
    out.flush()
    text = out.buffer.getvalue().decode(options["encoding"])
    assert there in text
    assert absent not in text
    assert "3, 99 %" in text
    assert "4, 99 %" not in text, "four fit into 40 columns"


def test_an_empty_image_is_drawn():
    console = Console(file=io.StringIO(), width=80)
    console.print(pictures.in_characters(torch.zeros(1, 28, 28), [Text("?")], console))
    assert "?" in console.file.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """A repository, the reference's modules in it, trained for some 90 steps."""
    folder = tmp_path_factory.mktemp("trained") / "mine"
    write(REPOSITORY, folder)
    solve(folder, *MODULES)
    done = tower("train", "--epochs", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.fit
def test_one_epoch_of_the_part_reads_nine_of_ten(trained):
    with training.workshop(trained, PLAN) as shop:
        model = shop.new_model()
        assert training.load(trained / training.WEIGHTS, model) == 94
        reading = training_page.reading_of(shop, model, training.data_of(PLAN, trained))
    assert len(reading.right) > 850
    assert len(reading.worst) == 1000 - len(reading.right)
    assert {int(reading.labels[i]) for i in reading.one_of_each(10)} == set(range(10))


@pytest.mark.sandbox
def test_the_page_holds_all_it_shows(repository):
    solve(repository, *MODULES)
    assert train(repository)[0] == 0
    page = (repository / "training.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|http[s]?://|@import|url\(", page)
    assert "default-src 'none'" in page
    assert page.count('class="map"') == page.count('class="kernel"') == 32
    for heading in (
        "How it learnt",
        "Its worst mistakes",
        "What conv1 has learnt to see",
        "How gradients flow",
    ):
        assert f"<h2>{heading}</h2>" in page
    assert [png(a) for a in re.findall(r'class="map" src="([^"]*)"', page)[:1]] == [(28, 28)]
    assert [png(a) for a in re.findall(r'class="kernel" src="([^"]*)"', page)[:1]] == [(3, 3)]
    assert re.findall(r"<h3>(.*?)</h3>", page) == [
        "as your layers begin",
        "by kaiming_uniform_",
        "too small, N(0, 0.001²)",
    ]
    for layer in ("conv1", "conv2", "fc1", "fc2"):
        assert page.count(f'">{layer}</text>') == 3


@pytest.mark.sandbox
def test_an_initialisation_that_fails_spoils_nothing_but_its_figure(repository):
    """Its trial has no layer as large as fc1."""
    change = (
        "fan_in, _ = calculate_fan(tensor)\n    bound",
        "fan_in = 1 / (3136 - tensor.shape[1])\n    bound",
    )
    solve(repository, *MODULES, kaiming_init=change)
    code, text = train(repository)
    assert code == 0, text
    page = (repository / "training.html").read_text()
    assert "Your code stopped where it begins: by kaiming_uniform_: ZeroDivisionError" in page
    assert "in kaiming_uniform_" in page


def test_gradients_fade_where_weights_are_too_small(repository, data):
    solve(repository, *MODULES)
    with training.workshop(repository, PLAN) as shop:
        default, kaiming, small = training.gradient_flow(shop, data)
    assert list(kaiming.layers) == ["conv1", "conv2", "fc1", "fc2"]
    assert small.layers["conv1"] < 1e-3 * default.layers["conv1"]
    assert default.layers["conv1"] < kaiming.layers["conv1"]


# Drawing


def test_a_drawing_is_centred_as_mnist_has_its_digits():
    prepare = PLAN.prepare
    assert prepare(torch.zeros(280, 280)).count_nonzero() == 0
    drawing = torch.zeros(280, 280)
    drawing[10:60, 200:210] = 1
    image = prepare(drawing)
    assert image.shape == (1, 28, 28)
    rows, columns = image[0].sum(1), image[0].sum(0)
    assert int(rows.gt(0).sum()) == 20, "it fills the box of 20"
    assert int(columns.gt(0).sum()) == 4, "its proportions stay"
    assert abs(centre(rows) - 14.5) <= 0.5
    assert abs(centre(columns) - 14.5) <= 0.5


def centre(ink):
    """The centre of mass along an axis; that of the first pixel alone is 0.5."""
    return float((ink * (torch.arange(28) + 0.5)).sum() / ink.sum())


def test_mnist_has_its_own_digits_there(data):
    centres = [
        centre(image.double().sum(dim)) for image in data.test_images[:, 0] for dim in (0, 1)
    ]
    assert min(centres) >= 14
    assert max(centres) <= 15


def test_a_digit_of_mnist_drawn_large_comes_back(data):
    image = data.test_images[0, 0].float() / 255
    large = torch.nn.functional.interpolate(image[None, None], scale_factor=10, mode="bilinear")[
        0, 0
    ]
    again = PLAN.prepare(large)[0]
    assert float((again - image).abs().mean()) < 0.05


@pytest.fixture
def served(repository):
    """The page of a tower that has learnt nothing, served by a thread."""
    solve(repository, *MODULES)
    with (
        training.workshop(repository, PLAN) as shop,
        drawing.Drawings(shop, shop.new_model()) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


INK = bytes(range(256)) * 306 + bytes(drawing.SIDE**2 - 306 * 256)


def ask(server, method="POST", path=None, body=INK, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    path = f"/{server.token}/read" if path is None else path
    with contextlib.closing(connection):
        connection.request(method, path, body if method == "POST" else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()


def test_a_drawing_is_answered_layer_by_layer(served):
    status, headers, content = ask(served)
    assert status == 200
    answer = json.loads(content)
    assert len(answer["shares"]) == 10
    assert abs(sum(answer["shares"]) - 1) < 0.01
    assert [(x["name"], x["count"], x["height"]) for x in answer["layers"]] == [
        ("conv1", 32, 28),
        ("conv2", 64, 14),
    ]
    assert ("Cache-Control", "no-store") in headers


def test_only_loopback_is_listened_to(served):
    assert served.server_address[0] == "127.0.0.1"
    assert urllib.parse.urlsplit(served.url).hostname == "127.0.0.1"
    assert len(served.token) >= 32


REFUSED = {
    "another host": ({"Host": "evil.example"}, {}, 403),
    "a host that begins alike": ({"Host": "127.0.0.1.evil.example:80"}, {}, 403),
    "no token": ({}, {"path": "/read"}, 404),
    "another token": ({}, {"path": f"/{'A' * 32}/read"}, 404),
    "a file": ({}, {"path": "/tower.py", "method": "GET"}, 404),
    "the way up": ({}, {"path": "/../tower.py", "method": "GET"}, 404),
    "a large body": ({"Content-Length": str(1 << 30)}, {"body": b""}, 413),
    "a body one byte too large": ({}, {"body": bytes(drawing.SIDE**2 + 1)}, 413),
    "a small body": ({}, {"body": b"ink"}, 400),
    "no length": ({"Transfer-Encoding": "chunked"}, {"body": b""}, 411),
    "a wrong length": ({"Content-Length": "-1"}, {"body": b""}, 411),
    "another method": ({}, {"method": "PUT"}, 501),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_asked_by_the_page_is_refused(served, kind):
    headers, options, status = REFUSED[kind]
    assert ask(served, **options, **headers)[0] == status


def test_the_page_is_given_to_who_knows_the_address(served):
    status, headers, content = ask(served, "GET", f"/{served.token}/")
    assert status == 200
    policy = dict(headers)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert served.token not in content.decode()


def test_what_the_model_raises_is_answered_as_a_sentence(repository):
    solve(repository, *MODULES)
    with training.workshop(repository, PLAN) as shop:
        model = shop.new_model()
        model.fc2 = torch.nn.Linear(3, 10)
        with drawing.Drawings(shop, model) as server:
            assert "Your code stopped where it reads an image" in server.answer(INK)["problem"]


def test_drawing_needs_trained_weights(repository):
    solve(repository, *MODULES)
    done = tower("draw", "--no-browser", cwd=repository)
    assert done.returncode == 2
    assert "run tower train first" in " ".join(done.stderr.split())


THREE = [
    (0.3, 0.22),
    (0.45, 0.12),
    (0.62, 0.15),
    (0.68, 0.28),
    (0.6, 0.42),
    (0.45, 0.48),
    (0.62, 0.52),
]
THREE += [(0.7, 0.66), (0.63, 0.82), (0.46, 0.88), (0.28, 0.78)]
EIGHT = [
    (0.5, 0.48),
    (0.36, 0.36),
    (0.36, 0.2),
    (0.5, 0.12),
    (0.64, 0.2),
    (0.64, 0.36),
    (0.5, 0.48),
]
EIGHT += [(0.34, 0.62), (0.34, 0.8), (0.5, 0.88), (0.66, 0.8), (0.66, 0.62), (0.5, 0.48)]


def stroke(page, points):
    """Draw with the mouse; the points are shares of the paper."""
    box = page.locator("#paper").bounding_box()
    where = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*where[0])
    page.mouse.down()
    for x, y in where[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


@pytest.mark.fit
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawn_three_and_a_drawn_eight_are_read(trained, browser, scheme):
    """The command itself, its page in a browser that notes what it asks for and complains of."""
    command = [sys.executable, "-u", "-m", "autograder", "draw", "--no-browser"]
    with subprocess.Popen(
        command, cwd=trained, text=True, stdout=subprocess.PIPE, preexec_fn=HEARS_CTRL_C
    ) as process:
        url = process.stdout.readline().strip()
        page = browser.new_page(color_scheme=scheme)
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        for points, wanted in ((THREE, "3"), (EIGHT, "8")):
            stroke(page, points)
            page.wait_for_function("wanted => find('read').textContent === wanted", arg=wanted)
            assert page.locator("#layers section").count() == 2
            assert page.locator("#layers canvas").count() == 32 + 64
            page.get_by_role("button", name="Clear").click()
            page.wait_for_function("find('read').textContent === ''")
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.close()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Ended." in out
    assert complaints == []
    assert {address for address in asked if address.startswith("http")} == {url, f"{url}read"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_from_a_file_and_on_a_phone(repository, browser, scheme):
    assert train(repository)[0] == 0
    page = browser.new_page(color_scheme=scheme, viewport=PHONE)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    address = (repository / "training.html").as_uri()
    page.goto(address)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    sizes = page.eval_on_selector_all(
        "p, figcaption, footer, pre", "all => all.map(e => getComputedStyle(e).fontSize)"
    )
    assert min(float(size.removesuffix("px")) for size in sizes) >= 12
    for picture in page.locator("svg").all():
        assert len(picture.get_attribute("aria-label")) > 20
    page.close()
