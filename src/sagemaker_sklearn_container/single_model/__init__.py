"""Serving one model: the WSGI application and the server around it."""
