"""`python -m netc`."""

from netc.start import start

start()
