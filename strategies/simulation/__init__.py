"""Simulated observers and benchmark problems."""
