"""`python -m autograder`: the `tower` command of this very checkout."""

from autograder.cli import main

main()
