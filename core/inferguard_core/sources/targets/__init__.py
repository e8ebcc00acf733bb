"""Lists of endpoints that somebody else keeps, in Prometheus' forms: a file, or a URL that answers with one."""
