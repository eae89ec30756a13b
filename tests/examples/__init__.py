"""Four definitions kept as they stand: each must parse, check, compile and verify unchanged."""
