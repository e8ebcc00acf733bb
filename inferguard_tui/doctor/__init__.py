"""Whether everything that the monitor stands on is in order: what `inferguard doctor` looks at.

It reads and connects; it changes nothing, makes no directory, and sends nothing to a cloud but a handshake.
"""
