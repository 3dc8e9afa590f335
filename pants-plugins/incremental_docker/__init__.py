"""The docker backend, with image builds that cost nothing when nothing changed."""
