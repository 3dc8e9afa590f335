"""Makes what other targets make resources of a package."""
