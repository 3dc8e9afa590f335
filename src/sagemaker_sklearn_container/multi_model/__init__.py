"""The server of many models, which are loaded and unloaded over HTTP."""
