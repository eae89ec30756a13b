"""`python -m netc`."""

from netc.main import main

main()
