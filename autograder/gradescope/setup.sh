#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the autograder's image. It installs Python 3.11 or
# newer, the build of torch for the CPU, and what else the kit needs, into /autograder/venv.
set -euo pipefail
cd "$(dirname "$0")"
home=$(dirname "$PWD")
: "${TORCH_INDEX=https://download.pytorch.org/whl/cpu}"

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ca-certificates libseccomp2 python3 python3-venv
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then # as on Ubuntu 22.04
    apt-get install --yes --no-install-recommends python3.11 python3.11-venv
    python=python3.11
fi

"$python" -m venv "$home/venv"
pip=("$home/venv/bin/pip" install --no-cache-dir --constraint tower/constraints.txt)
if [ -n "$TORCH_INDEX" ]; then
    "${pip[@]}" --index-url "$TORCH_INDEX" torch torchvision
fi
"$home/venv/bin/python" -c '
import tomllib
with open("tower/pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["dependencies"], sep="\n")' > requirements.txt
"${pip[@]}" --requirement requirements.txt

# Workers are users of their own: they may pass through these folders and look into none.
chmod 711 "$home" .
chmod -R go= tower/tests tower/course.toml
