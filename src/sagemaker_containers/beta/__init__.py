"""The package that holds `framework`; the name is the retired package's.

Source: contract U-40.
"""
