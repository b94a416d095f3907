"""What a session is: the fold of its record, the answers of its handlers, its replay. Pure."""
