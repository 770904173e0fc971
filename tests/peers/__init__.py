"""The same questions to this server and to another one on the same API server."""
