"""Write a perfect score into the results file."""

FAMILY = "forgery"


def attack(world):
    with open(world["results"], "w") as file:
        file.write('{"score": 100}')
    return "written"
