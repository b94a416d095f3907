"""Sockets, clock, processes and threads around the engine; holds no decision of the protocol."""
