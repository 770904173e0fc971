"""Questions to other servers: by UDP, TCP, TLS and HTTPS."""
