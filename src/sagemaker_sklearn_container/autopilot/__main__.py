"""`python -m sagemaker_sklearn_container.autopilot` is the command `run-autopilot-candidate`."""

from sagemaker_sklearn_container.autopilot.command import main

if __name__ == "__main__":
    main()
