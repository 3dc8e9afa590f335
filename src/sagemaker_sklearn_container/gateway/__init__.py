"""The HTTP gateway: one process that speaks HTTP, and hands complete requests to worker processes.

Nothing here imports numpy or user code: the gateway is forked before either is loaded.
"""
