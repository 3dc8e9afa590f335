"""Runs a candidate that SageMaker Autopilot generated on this machine: the command `run-autopilot-candidate`."""
