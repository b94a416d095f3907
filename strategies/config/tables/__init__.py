"""What a configuration can name: classes and their keys as static tables; needs no torch."""
