"""Gaussian-process models of the outcome, fitted by exact Gaussian approximations."""
