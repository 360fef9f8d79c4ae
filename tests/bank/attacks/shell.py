"""Run a shell."""

import subprocess

FAMILY = "network"


def attack(world):
    done = subprocess.run(["/bin/sh", "-c", "echo free"], capture_output=True, check=True)
    return f"GOT a shell: {done.stdout.decode().strip()}"
