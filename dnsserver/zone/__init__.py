"""Cluster objects to RRsets: what exists under which owner name. Pure values and state, no input or output."""
