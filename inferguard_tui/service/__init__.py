"""`inferguard watch` as a service: what it says of itself, whom it tells, and how it is told to end."""
