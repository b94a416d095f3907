"""The sans-IO state machine: (state, event, now) to effects."""
