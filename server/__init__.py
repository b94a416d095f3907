"""The shell: sockets, clock, database and processes around the strategies; holds no mathematics."""
