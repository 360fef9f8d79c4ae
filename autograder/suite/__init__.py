"""What the hidden tests are written with."""
