"""What `./pants` does before Pants runs: sees to a private install of Pants, to its tools, and to a Docker engine.

Standard library only, for CPython 3.8 and 3.9. What a launch imports where everything is in place is kept
small, because each import costs milliseconds in front of every command; the rest is imported where it is used.
"""
