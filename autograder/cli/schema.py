"""`tower schema`: the format of the report."""

from json import dumps

from autograder.export import json


def schema() -> None:
    """Print the JSON Schema of the report."""
    print(dumps(json.schema(), indent=2))
