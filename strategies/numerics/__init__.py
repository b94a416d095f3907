"""Numerical ground: the normal distribution, space-filling sequences, optimisation, randomness, threads."""
