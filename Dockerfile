# The kit as an image: `docker build --tag tower .`, then `docker run --rm tower --help`. README.md has the
# whole command for grading, with no network and next to no capabilities.
#
# Layers go from what changes seldom to what changes daily: system, torch, package, suite.

ARG BASE=python:3.13-slim-bookworm
# hadolint ignore=DL3006
FROM ${BASE}

# tini ends what is left when the container is stopped; libseccomp filters the workers' system calls.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libseccomp2 tini \
    && rm -rf /var/lib/apt/lists/*

# Python lies where every user may read it: workers run as users of their own, 61184 to 65519.
WORKDIR /opt/tower
ENV PATH=/opt/venv/bin:$PATH LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 TOWER_COURSE=/opt/tower

# Without this argument torch comes with its CUDA libraries, for `docker run --gpus all`. The build for the CPU
# alone, 6 GB smaller: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG TORCH_INDEX=
COPY pyproject.toml constraints.txt ./
RUN python3 -m venv /opt/venv \
    && python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
        > /tmp/requirements.txt \
    && if [ -n "$TORCH_INDEX" ]; then \
        pip install --no-cache-dir --constraint constraints.txt --index-url "$TORCH_INDEX" torch torchvision; \
    fi \
    && pip install --no-cache-dir --constraint constraints.txt --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

# The package is installed in place, so that a change to it needs no pip.
COPY autograder/__init__.py autograder/
COPY student student
RUN touch README.md && pip install --no-cache-dir --no-deps --editable .

HEALTHCHECK --interval=10m --timeout=2m CMD ["tower", "doctor"]
ENTRYPOINT ["tini", "--", "tower"]
CMD ["--help"]

COPY autograder autograder
RUN python -m compileall -q autograder student
COPY solutions solutions
COPY course.toml ./
COPY assignments/tests/exceptions.toml assignments/tests/
COPY data data
COPY tests/hidden tests/hidden
# What is hidden is root's alone, whatever the modes in the checkout.
RUN python -m compileall -q tests/hidden && chmod -R go= solutions tests data course.toml
