"""The definitions that come with netc, against published and third-party numbers."""
