"""Transports turn bytes into the engine's events, and its effects back into bytes."""
