"""The library of network definitions shipped with netc."""
