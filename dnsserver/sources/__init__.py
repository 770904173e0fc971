"""Where cluster objects come from: the Kubernetes API, or manifests on disk."""
