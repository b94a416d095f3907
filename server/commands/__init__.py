"""What the commands of `fechner …` do; `fechner.server.cli` declares them."""
