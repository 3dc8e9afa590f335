"""Ways from and to other libraries' data; each is imported by itself, so that none loads a library unasked."""
