"""Generators propose the next trials: space filling, given points, or by an acquisition function."""
