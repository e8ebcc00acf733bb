"""A Prometheus server (VictoriaMetrics, Thanos, Mimir) as the source of a fleet: one answer, many engines' pages."""
