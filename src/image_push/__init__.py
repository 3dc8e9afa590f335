"""Pushes one image of the engine's, by its id, to one name at a registry, and proves what the registry then holds."""
