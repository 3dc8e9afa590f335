"""What scripts use of the package sagemaker_inference, answered by the container's own code.

Source: contract U-44.
"""
