"""The benchmarks start, so that they work on the machine they are for."""
