"""The student's desk: public tests, hints and packing. It runs on every system, and holds no answer."""
