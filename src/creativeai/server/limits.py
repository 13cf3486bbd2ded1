"""How much a server takes on."""

MAX_BODY_BYTES = 64 * 1024
"""Largest request body that is read."""
MAX_DISCARDED_BYTES = 8 * 1024 * 1024
"""Most that is read of a larger one before the connection is cut."""
MAX_URL_LENGTH = 8000
"""Longest path and query of an address we hand out; gunicorn and many a proxy refuse more than 8190."""
MAX_WITH_ATTENTION = 8
"""Most pictures of a request for attention maps: those of one may be megabytes."""
MAX_WAITING = 128
"""Most pictures that wait for a model before requests are answered with 429."""
MAX_SECONDS = 60.0
"""Longest a request waits for its pictures."""
