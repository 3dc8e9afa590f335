"""`python -m sagemaker_sklearn_container.training` is the command `train`."""

from sagemaker_sklearn_container.entry import train

if __name__ == "__main__":
    train()
