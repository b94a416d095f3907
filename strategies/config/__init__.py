"""INI text or a mapping to a validated specification; the registry of names as static tables."""
