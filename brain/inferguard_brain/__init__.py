"""L3, the brain: reads dicts, answers dicts. Imports nothing of the other packages."""
