"""What scripts use of the retired package sagemaker_training, answered by the container's own code.

The modules here also stand behind those of `sagemaker_containers.beta.framework`.

Source: contract U-43.
"""
