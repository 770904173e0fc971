"""The running server: sources, chains, listeners, signals, in one process."""
