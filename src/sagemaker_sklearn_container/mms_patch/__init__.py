"""What the container once changed in the Multi Model Server, which it does without now.

Source: contract L-18.
"""
