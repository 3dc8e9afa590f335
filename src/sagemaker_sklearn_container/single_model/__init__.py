"""Serving one model: its paths, its answers, its start-up."""
