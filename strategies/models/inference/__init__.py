"""Gaussian approximations of a posterior: expectation propagation."""
