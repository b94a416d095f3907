"""One module per message type; the registry is keyed (type, version)."""
