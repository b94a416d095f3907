"""What a configuration means: each section judged, and all of them together."""
