"""Landlock: the kernel denies this process all files but those named, the network and signals.

From include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst of the kernel.
"""

import os
import stat
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .kernel import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The same numbers on every architecture."""
_RULE_PATH_BENEATH = 1
_GET_VERSION = 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_MAKE_DIR, _MAKE_REG, _TRUNCATE, _IOCTL_DEV = 1 << 7, 1 << 8, 1 << 14, 1 << 15
READ = _READ_FILE | _READ_DIR
USE = _READ_FILE | _WRITE_FILE
"""For a device."""
CONTROL = USE | _IOCTL_DEV
"""For a device that is controlled by ioctl, as a GPU."""
NAME_THREADS = READ | _WRITE_FILE | _TRUNCATE
KEEP = READ | _WRITE_FILE | _MAKE_DIR | _MAKE_REG | _TRUNCATE
"""Write and read, but remove and rename nothing: what a folder holds can then be counted."""
_ONLY_DIRECTORIES = _READ_DIR | _MAKE_DIR | _MAKE_REG


class Rights(NamedTuple):
    """Bit masks of all that a kernel can deny: about files, TCP ports, and other processes."""

    files: int
    network: int
    scopes: int


def version() -> int:
    """The version of the kernel's interface, from 1; 0 where there is none."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _GET_VERSION)
    except OSError:
        return 0


def all_rights() -> Rights:
    """Every right this kernel knows, those newer than this file among them: found by asking."""
    files = _most(lambda mask: Rights(mask, 0, 0))
    network = _most(lambda mask: Rights(files, mask, 0))
    return Rights(files, network, _most(lambda mask: Rights(files, network, mask)))


def _most(rights: Callable[[int], Rights]) -> int:
    for bits in range(63, 0, -1):
        try:
            os.close(_ruleset(rights((1 << bits) - 1)))
        except OSError:
            continue
        return (1 << bits) - 1
    return 0


def _ruleset(rights: Rights) -> int:
    # A kernel that knows fewer fields takes the longer structure as long as the rest is zero.
    return syscall(_CREATE_RULESET, struct.pack("QQQ", *rights), 24, 0)


def restrict(rights: Rights, allowed: Iterable[tuple[str, int]]) -> None:
    """Deny this process, for ever, all of `rights` but those allowed for files and what is below them.

    Executing is never allowed. A path that does not exist is passed over. Raises OSError.
    """
    ruleset = _ruleset(rights)
    try:
        for path, access in allowed:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    access &= ~_ONLY_DIRECTORIES
                rule = struct.pack("=Qi", access & rights.files, descriptor)
                syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
            finally:
                os.close(descriptor)
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
