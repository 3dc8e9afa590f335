"""Makes many files one target."""
