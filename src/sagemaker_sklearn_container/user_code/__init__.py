"""The user's code: where it comes from, how it is loaded, and which of its functions serve."""
