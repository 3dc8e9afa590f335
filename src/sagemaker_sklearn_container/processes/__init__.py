"""Processes of a server: one that loads and supervises, workers forked from it, and the channels between them."""
