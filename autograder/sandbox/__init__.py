"""All code that ever shares a process with student code. It knows no answer.

This folder is the trust boundary: what is inside may be read by a student, what is outside may
not. It imports the standard library, numpy and torch, and nothing of the rest of the kit; the
zygote loads it as a package of its own, so that `autograder` is never imported beside a student.
"""
