"""What is detected, approximated and not covered, per anomaly, cause, action and signal: `docs/coverage.md`.

Version ranges are computed from the engine tables, so that the page cannot promise what no table holds. Nothing
that watches an engine imports this.
"""
