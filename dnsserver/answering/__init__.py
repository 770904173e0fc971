"""A query to a reply: outcomes, sections, and making the reply fit. Pure."""
