"""One module per wire version: each translates to and from the core's messages and knows nothing else."""
