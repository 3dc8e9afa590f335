"""What cannot be right in an image's definition, refused with file and line."""
