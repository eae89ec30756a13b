"""A model for many callers at once: requests of the Open Inference Protocol, run in batches."""
