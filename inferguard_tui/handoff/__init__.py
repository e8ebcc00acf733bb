"""What one engineer hands to the next: a card of twenty lines, a page of Markdown, a recording."""
