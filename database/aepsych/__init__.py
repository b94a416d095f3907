"""AEPsych's databases, read as plain data."""
