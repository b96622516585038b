"""What a person keeps about themselves, encrypted at rest, and which of it a question needs.

``records`` what is kept; ``cipher`` and ``database`` the encrypted file; ``keys``, ``keyfile`` and
``keyring_entry`` who may open it; ``store`` the records in it; ``selection`` which of them a
conversation reads; ``conversations`` what was said, and what left the device for it; ``importers``
and ``export`` the way in and out; ``profiles`` finds, makes and opens profiles by name. Knows
nothing of models, the network or terminals.
"""
