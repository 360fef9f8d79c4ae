PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := tests/bank/samples/flawed

.PHONY: demo test lint benchmarks benchmark-class class-lab matrix reference pictures seeds mutants attacks image-test gpu-test versions fuzz release clean

## demo: install everything, then grade the reference solutions and a flawed sample with the MNIST fit
demo: $(VENV)/installed
	$(BIN)/tower grade solutions
	$(BIN)/tower grade $(SAMPLE)

## test: every check that CI runs
test: $(VENV)/installed lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m 'unit or not unit'

lint: $(VENV)/installed
	$(BIN)/ruff format --check --quiet autograder pictures student tests/hidden tests/kit tests/support tests/gpu solutions benchmarks fuzz
	$(BIN)/ruff check --quiet
	$(BIN)/mypy

## benchmarks: how long a grading and a check take, as ratios to importing torch, and what the lockdown costs
benchmarks: $(VENV)/installed
	$(BIN)/python benchmarks/grade.py
	$(BIN)/python benchmarks/lockdown.py
	$(BIN)/python benchmarks/check.py

## benchmark-class: a class graded by this kit and by others, as ratios; growth to 1,000; writes docs/class-speed.md
benchmark-class: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[benchmarks]'
	$(BIN)/python benchmarks/classroom.py --markdown docs/class-speed.md

## class-lab: a class with the whole bank of attacks in it, and one of fifty that is killed twenty times
class-lab: $(VENV)/installed
	$(BIN)/python tests/support/class_lab.py --attacks --kills 20

## matrix: grade the whole bank of wrong and right submissions; write docs/kill-matrix.md and its picture
matrix: $(VENV)/installed
	$(BIN)/python tests/support/kill_matrix.py --markdown docs/kill-matrix.md --picture docs/kill-matrix.png

## reference: write docs/reference.md, what a hidden test can ask, from docstrings
reference: $(VENV)/installed
	$(BIN)/python tests/support/authors_reference.py

## pictures: write the pictures of the handouts, by pictures/ and the solutions
pictures: $(VENV)/installed
	$(BIN)/python -m pictures

## seeds: grade the reference solutions and the bank's right ones under many seeds; each passes every check
seeds: $(VENV)/installed
	$(BIN)/python tests/support/flakiness.py --seeds 500
	$(BIN)/python tests/support/flakiness.py --seeds 50 --fit quick
	$(BIN)/python tests/support/flakiness.py --seeds 50 --variants

## mutants: make the machine-made part of the bank anew, after a change of solutions/
mutants: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[mutants]'
	$(BIN)/python tests/support/make_machine_mutants.py

## attacks: run the bank of attacks against a naive grader and this one; write docs/attacks.md
attacks: $(VENV)/installed
	$(BIN)/python tests/support/attack_lab.py --markdown docs/attacks.md

## image-test: build the image, grade in it, run the attacks in it; with podman where there is no Docker
image-test: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[image]'
	$(BIN)/python -m pytest tests/image -p no:cacheprovider

## gpu-test: everything that needs a GPU, on one, then the tables of docs/gpu.md; "not verified" without one
gpu-test: $(VENV)/installed
	$(BIN)/python -m pytest tests/gpu -rs -p no:cacheprovider
	$(BIN)/python benchmarks/gpu.py --device auto --write docs

## versions: the same grades with every Python and torch of the table? Downloads some 15 GB; writes docs/versions.md
versions: $(VENV)/installed
	$(BIN)/python tests/support/versions_lab.py --markdown docs/versions.md

## fuzz: five minutes of odd bytes for the reader of replies, five of replies that lie for the suite
fuzz: $(VENV)/installed
	$(BIN)/python fuzz/fuzz_wire.py --seconds 300
	$(BIN)/python fuzz/fuzz_replies.py --seconds 300

## release: bring assignments/ up to date with solutions/ and course.toml
release: $(VENV)/installed
	$(BIN)/tower release

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
