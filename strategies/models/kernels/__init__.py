"""Covariance functions, their gradients and compositions."""
