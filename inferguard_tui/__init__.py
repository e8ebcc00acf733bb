"""The terminal UI, the command line and the simulated engine, all on `session`."""

__version__ = "0.1.0"
