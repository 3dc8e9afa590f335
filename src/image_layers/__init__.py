"""Writes the tar layers that the image Dockerfiles `ADD`. Runs at build time only, never ships."""
