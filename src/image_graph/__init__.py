"""Draws what the images are made of, and what a change reaches, from Pants' own answers."""
