"""Makes the modules installable, as the training service does it with generated ones."""

from setuptools import setup

setup(
    name="candidate_data_processors",
    version="1.0",
    description="Feature and label transforms of the candidates, and what trains and serves them",
    # There is no __init__.py, and the slash is what generated files have.
    packages=["candidate_data_processors/"],
)
