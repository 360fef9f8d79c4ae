"""Take the hidden tests from sys.modules, where whoever runs them has them."""

import re
import sys

FAMILY = "secrets"


def attack(world):
    secret = re.compile("".join(world["marker"]) + "[0-9a-f]{32}")
    for name, module in list(sys.modules.items()):
        for value in list(vars(module).values()):
            if type(value) is str and (found := secret.search(value)):
                return f"{name}: {found[0]}"
    raise LookupError("no module holds a secret")
