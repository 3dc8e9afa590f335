"""`python -m sagemaker_sklearn_container.serving` is the command `serve`."""

from sagemaker_sklearn_container.entry import serve

if __name__ == "__main__":
    serve()
