"""Training and serving for scikit-learn on Amazon SageMaker: what the `train` and `serve` commands run."""
