"""The same posteriors as botorch models; torch is imported here alone."""
