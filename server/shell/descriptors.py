"""Room for as many connections as the limits allow: each takes a descriptor of the process."""

from __future__ import annotations

#: Besides connections: the record's files, pipes of workers, listening sockets, libraries, and some to spare.
OTHERS = 250


def make_room(connections: int) -> int:
    """Raise this process's limit of open descriptors as far as so many connections need and it may.

    Returns:
        For how many connections there is room, at most as many as were wanted.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(1, most - OTHERS)


def too_little(room: int, connections: int) -> str:
    """What to warn of where there is room for fewer connections than the limits allow."""
    return (
        f"this process may open files for {room} connections only, not for {connections} (the limit "
        f"connections); raise its hard limit: ulimit -Hn {connections + OTHERS}"
    )
