"""One incident in full: what happened, why, what to change, what was done. Pure functions; no Textual here."""
