"""Acquisition functions: how much would a trial at each point teach."""
