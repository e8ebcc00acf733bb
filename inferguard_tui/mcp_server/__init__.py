"""The monitor as tools for an agent, over the Model Context Protocol.

It reads and previews. No tool sends an action, and no tool reaches an address that the person who started the
server did not name.
"""
