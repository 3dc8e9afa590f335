"""Importing it fails: the images have no DLPack."""

from mlio.errors import UnavailableError

raise UnavailableError(
    "mlio.integ.dlpack was imported, but this mlio does not have it. "
    "Use mlio.integ.numpy.as_numpy and hand the array over."
)
