"""Posteriors: moments, samples and probabilities at any points."""
