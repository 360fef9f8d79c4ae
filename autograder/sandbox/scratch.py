"""How much a worker has written into its folder."""

import os

_ENTRY = 4096
"""What a file or folder costs beside its content."""


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
