"""Read the scratch folders of other workers, beside its own."""

from pathlib import Path

FAMILY = "secrets"


def attack(world):
    own = Path.cwd()
    others = [path for path in own.parent.iterdir() if path.name != own.name]
    texts = [
        file.read_text(errors="replace")[-500:]
        for folder in others
        for file in ([folder] if folder.is_file() else folder.iterdir())
    ]
    if not others:
        raise LookupError("there is nothing beside its own")
    return f"GOT {len(others)} neighbours" if not texts else texts
