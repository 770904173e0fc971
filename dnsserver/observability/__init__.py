"""Counters, logs, and the HTTP listeners for health and readiness."""
