"""The server beside a whole control plane: rights, tokens, and an API server that comes and goes."""
