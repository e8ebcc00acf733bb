"""Where pages of metrics come from: live endpoints, recordings, and what listens on this host."""
