"""Whether a record is whole: chains and tables checked against the messages, tables computed anew."""
