"""Hyperparameters: their layout in theta, their priors, their search."""
