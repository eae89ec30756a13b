"""Running: kernels, sessions, comparison."""
