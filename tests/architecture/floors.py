"""The floors of each package, from the ground up: a module imports from its own room and lower floors."""

from __future__ import annotations

from collections.abc import Iterator

from .source import Import, imports, modules

#: Rooms by floor; rooms of one floor don't know each other. The empty name is the package's own front door.
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "fechner.server": (
        ("version",),
        ("protocol",),
        ("observing",),
        ("session",),
        ("engine", "importing"),
        ("shell",),
        ("commands",),
        ("cli",),
        ("",),
    ),
    "fechner.server.engine": (
        ("phases", "principals"),
        ("events", "effects", "options"),
        ("lanes",),
        ("agenda",),
        ("state",),
        ("access", "ahead", "alarms", "replies", "sessions"),
        ("authentication", "foresight", "ownership", "status"),
        ("reattachment", "sessionless"),
        ("work", "routing"),
        ("receiving", "connections", "computations", "deadlines", "commits", "readings", "loading"),
        ("engine",),
        ("",),
    ),
    "fechner.strategies": (
        ("_lazy", "errors", "tiers", "values"),
        ("_plain",),
        ("numerics",),
        ("random",),
        ("specification",),
        ("space",),
        ("config.tables",),
        ("plugins",),
        ("config.reading",),
        ("config.judging",),
        ("config.describing",),
        ("config",),
        ("extensions",),
        ("models",),
        ("acquisition", "simulation"),
        ("generators",),
        ("core",),
        ("queries",),
        ("strategy",),
        ("analysis", "testing"),
        ("",),
    ),
    "fechner.database": (
        ("errors", "_lazy", "failpoints"),
        ("form",),
        ("keeping",),
        ("soundness",),
        ("record",),
        ("export",),
        ("upkeep", "seed_data"),
        ("aepsych",),
        ("",),
    ),
    "fechner_client": (
        ("errors", "framing", "security", "configuration"),
        ("channel",),
        ("tcp_channel", "zmq_channel", "memory_channel"),
        ("opening",),
        ("steps",),
        ("talk",),
        ("connection",),
        ("results",),
        ("trial",),
        ("messages", "answers"),
        ("progress",),
        ("standing",),
        ("queries",),
        ("client",),
        ("",),
    ),
}


def room_of(package: str, module: str) -> tuple[int, str]:
    """The floor and the room of a module of a package: the room with the longest name that fits."""
    inner = module.removeprefix(package).lstrip(".")
    fitting = [
        (floor, room)
        for floor, rooms in enumerate(FLOORS[package])
        for room in rooms
        if inner == room or (room and inner.startswith(f"{room}."))
    ]
    return max(fitting, key=lambda one: len(one[1]), default=(-1, f"no room for {module}"))


def upward(package: str) -> Iterator[Import]:
    """Imports that point up, or into another room of the same floor."""
    for name in modules(package):
        floor, room = room_of(package, name)
        for one in imports(name):
            if one.imported == package or one.imported.startswith(f"{package}."):
                to_floor, to_room = room_of(package, one.imported)
                if to_floor > floor or (to_floor == floor and to_room != room):
                    yield one
