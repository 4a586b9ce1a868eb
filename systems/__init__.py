"""Published systems by name: one short adapter each, registered with srbench as any other package's would be.

No code and no weights of theirs are here. An adapter calls an installed package or a checkout of yours, and undoes
what the system's own scripts do to level, length, rate and format.
"""
