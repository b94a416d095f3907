"""Approximate inference shared by the models: Laplace, bivariate normal probabilities."""
