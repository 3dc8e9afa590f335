"""The replaced stack with the extension library: installed once into a virtual environment."""

from __future__ import annotations

from bench import training

# What the replaced extension image had beside the toolkit; where it named no version, the last one for CPython 3.7.
# All are listed, since the metadata of two of them (tsfresh, matrixprofile) contradicts the image's own pins.
_EXTENSION_PINS = (
    "Pillow==9.5.0",
    "cycler==0.11.0",
    "fonttools==4.38.0",
    "importlib-metadata==6.7.0",
    "kiwisolver==1.4.5",
    "llvmlite==0.39.1",
    "matplotlib==3.5.3",
    "matrixprofile==1.1.10",
    "numba==0.56.4",
    "packaging==23.2",
    "patsy==1.0.1",
    "pyarrow==12.0.1",
    "pyparsing==3.1.4",
    "sagemaker-scikit-learn-extension==2.5.0",
    "statsmodels==0.12.2",
    "stumpy==1.7.2",
    "tqdm==4.66.5",
    "tsfresh==0.18.0",
    "typing-extensions==4.7.1",
    "zipp==3.15.0",
)
STEPS = (*training.PEER_STEPS, ("--no-deps", *_EXTENSION_PINS))
