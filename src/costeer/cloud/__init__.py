"""The cloud: the client that talks to it, and our own server. Never sees private text."""
