"""A specification in words."""
