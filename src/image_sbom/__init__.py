"""Writes the bills of materials of the images, in CycloneDX. It never ships; what it writes does."""
