"""Theme files, one TOML each; the name is the file stem. No code."""
