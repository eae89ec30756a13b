"""What netc promises about speed, measured side by side: `python -m benchmarks`."""
