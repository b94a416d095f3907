"""Questions that a state answers: maxima, minima, predictions, inverses, thresholds, preferences."""
