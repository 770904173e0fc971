"""Publishes the pods of each Shop by a headless Service with EndpointSlices of its own."""
