"""Lets pip install what is installed here, and ask no index.

    environment = os.environ | offline(folder, "jinja2", "typer")

Wheels of those and of all that they require are packed from their installed files.
"""

import os
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OF_THE_INSTALLER = {"INSTALLER", "REQUESTED", "direct_url.json"}


def offline(folder: Path, *names: str) -> dict[str, str]:
    """Pack wheels into the folder; return the variables that have pip use these alone."""
    for found in _closure(names):
        _pack(found, folder)
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
    }


def _closure(names: tuple[str, ...]) -> Iterator[Distribution]:
    """Installed distributions of these names, and of what they require here."""
    left, seen = [canonicalize_name(name) for name in names], set()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        yield found
        for text in found.requires or ():
            required = Requirement(text)
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                left.append(canonicalize_name(required.name))


def _pack(found: Distribution, folder: Path) -> None:
    about = found.read_text("WHEEL")
    assert about is not None
    tags = [line.split()[1].split("-") for line in about.splitlines() if line.startswith("Tag:")]
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = canonicalize_name(found.metadata["Name"]).replace("-", "_")
    with zipfile.ZipFile(folder / f"{name}-{found.version}-{tag}.whl", "w") as wheel:
        for file in found.files or ():
            ours = file.parts[0] == ".." or file.suffix == ".pyc" or file.name in OF_THE_INSTALLER
            if not ours:  # pip writes these, or makes them anew
                wheel.write(file.locate(), str(file))
