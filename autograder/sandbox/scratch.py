"""A worker's folder: one that cannot grow too large, or one that is looked at."""

import os

from . import kernel

_ENTRY = 4096
"""What a file or folder costs beside its content."""


def bound(folder: str, limit: int) -> None:
    """Put a file system of limited size in the place of an empty folder. Raises OSError."""
    options = f"size={limit},nr_inodes={max(limit // _ENTRY, 16)},mode=777"
    kernel.mount("scratch", folder, "tmpfs", data=options)


def size(folder: str, limit: int) -> int:
    """Bytes on disk in a folder and all below it, counted no further than just beyond `limit`.

    Nothing in there can be removed or renamed, so no byte escapes the count. A folder that cannot be
    read counts as over the limit.
    """
    total, folders = 0, [folder]
    while folders and total <= limit:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    total += 512 * status.st_blocks + _ENTRY
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    if total > limit:
                        break
        except FileNotFoundError:  # the worker is being cleared away
            continue
        except OSError:
            return limit + 1
    return total
