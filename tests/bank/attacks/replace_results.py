"""Put another file in the place of the results."""

import os

FAMILY = "forgery"


def attack(world):
    with open("results.json", "w") as file:
        file.write('{"score": 100}')
    os.rename("results.json", world["results"])
    return "replaced"
