"""The house of docs/explanation/architecture.md, held against the code."""
