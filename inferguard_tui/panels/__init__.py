"""What each part of the screen says: pure functions from a frame and a view to lines. No Textual here."""
