"""Tests of netc."""
