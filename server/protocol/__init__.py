"""What is said: text to messages and back, limits, errors. Knows no session and no engine."""
