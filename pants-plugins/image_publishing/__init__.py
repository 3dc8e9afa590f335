"""The `publish` goal for docker images: what is pushed is what was tested."""
