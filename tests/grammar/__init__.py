"""Tests of the grammar: parsing, recovery, formatting."""
