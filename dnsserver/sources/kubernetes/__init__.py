"""Cluster objects from the API server: list and watch, followed for as long as the server runs.

`source.KubernetesSource` is the way in, `settings.LiveSettings` what it is told. Nothing is imported here: the client
library takes half a second to import, and whoever only reads settings should not pay for it.
"""
