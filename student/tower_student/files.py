"""Files are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from tower_student.errors import TowerError
from tower_student.language import tr


def write_whole(path: Path, content: str | bytes) -> None:
    """Write into a neighbour that then takes the file's place; make folders as needed.

    A full disk or a kill leaves the old file, or none. Raises TowerError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            neighbour = Path(file.name)
            try:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
                file.close()  # Windows replaces no file that is open
                neighbour.chmod(0o666 & ~_umask())
                neighbour.replace(path)
            except BaseException:
                file.close()
                neighbour.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise TowerError(
            tr(
                "{path} could not be written: {reason}. What was there is as it was.",
                path=path,
                reason=error.strerror,
            )
        ) from None


def append(path: Path, text: str) -> None:
    """Add text to a file that others write to as well. Raises TowerError."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise TowerError(
            tr("{path} could not be written: {reason}.", path=path, reason=error.strerror)
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
