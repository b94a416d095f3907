"""The functional core: plain-data states and the pure functions that ask, tell, query and finish."""
