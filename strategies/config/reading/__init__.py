"""INI text or a mapping to sections and values, with every fault and its place."""
