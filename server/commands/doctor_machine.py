"""Checks of `fechner doctor` about the machine: cores, descriptors, clock, port."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from fechner.server.commands.asking import Address, Unanswered, ask, connect
from fechner.server.commands.finding import Finding
from fechner.server.commands.output import without_password
from fechner.server.commands.serve import default_workers
from fechner.server.shell.descriptors import OTHERS
from fechner.server.shell.peers import REFUSALS


def cores() -> Finding:
    """How many cores this process may use, and how many workers that makes."""
    installed, workers = os.cpu_count() or 1, default_workers()
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        usable = installed
    share = _quota(Path("/sys/fs/cgroup/cpu.max"))
    value = f"{usable} of {installed}, {workers} worker{'s' * (workers != 1)} by default"
    details = {"usable": usable, "installed": installed, "quota": share, "workers": workers}
    if share is not None and share < usable:
        value += f"; the container's share is {share:g}"
        advice = f"--workers {max(1, int(share) - 1)}: more would wait for their share"
        if workers > max(1, int(share) - 1):
            return Finding("cores", "warning", value, advice, details)
    if usable < 2:
        advice = "a second core keeps replies quick while models are fitted"
        return Finding("cores", "warning", value, advice, details)
    return Finding("cores", "ok", value, details=details)


def _quota(file: Path) -> float | None:
    """The processor time that a container may use, in cores."""
    try:
        most, period = file.read_text("ascii").split()
        return None if most == "max" else int(most) / int(period)
    except (OSError, ValueError):
        return None


def descriptors(connections: int) -> Finding:
    """Whether so many connections can be open at a time; a server raises its soft limit by itself."""
    needed = connections + REFUSALS + OTHERS
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return Finding("descriptors", "ok", "no limit on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = "any number of" if hard == resource.RLIM_INFINITY else str(hard)
    value = f"{most} open files at most, for {connections} connections"
    details = {"soft": soft, "hard": hard, "needed": needed}
    if hard != resource.RLIM_INFINITY and hard < needed:
        fewer = max(1, hard - REFUSALS - OTHERS)
        advice = f"`ulimit -Hn {needed}` (LimitNOFILE={needed} for systemd), or --connections {fewer}"
        return Finding("descriptors", "warning", value, advice, details)
    return Finding("descriptors", "ok", value, details=details)


def clock(now: datetime | None = None) -> Finding:
    """Whether the date can be right: sessions bear it."""
    now = now or datetime.now(UTC)
    local = now.astimezone()
    value = f"{now:%Y-%m-%d %H:%M:%S} UTC, time zone {local.tzname()} ({local:%z})"
    if now.timestamp() < Path(__file__).stat().st_mtime - 86400:
        advice = "set the clock (or have it set: NTP); this program was installed after that date"
        return Finding("clock", "bad", value, advice)
    zone = os.environ.get("TZ", "").lstrip(":")
    if zone and _misunderstood(zone, local):
        advice = f"TZ={zone} is unknown here and taken for UTC: install tzdata, or name another zone"
        return Finding("clock", "warning", value, advice)
    return Finding("clock", "ok", value)


def _misunderstood(zone: str, local: datetime) -> bool:
    """Whether a time zone by name is taken for UTC, though it is none that there is."""
    try:
        return ZoneInfo(zone).utcoffset(local.replace(tzinfo=None)) != local.utcoffset()
    except (OSError, ValueError, KeyError):  # no such name; a rule like CET-1CEST has a digit
        return not local.utcoffset() and not re.search(r"\d", zone)


def port(address: Address, db: str) -> Finding:
    """Whether the port is free, or which server has it."""
    where = f"{address.host} port {address.port}"
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # as the server does; elsewhere it would take the port from its owner
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
            probe.listen(1)
        return Finding("port", "ok", f"{where} is free")
    except PermissionError as error:
        return Finding("port", "bad", f"{where}: {error.strerror}", "--port names one above 1023")
    except OSError as error:
        reason = error.strerror or str(error)
    try:
        with connect(replace(address, token_file=None), 5.0, introduce=False) as line:
            server = str(ask(line, "hello")["server"])
    except Unanswered as error:
        advice = "another program has it: --port names another one (--tls-cert, if it is a server with TLS)"
        return Finding("port", "bad", f"{where}: {reason}; {error}", advice)
    try:
        with connect(address, 5.0) as line:
            record = str(ask(line, "status")["record"])
    except Unanswered:  # it wants a token, or is older
        return Finding("port", "warning", f"{where}: {server} runs there", "another port for another server")
    value = f"{where}: {server} runs there, record {record}"
    if record == without_password(db):
        return Finding("port", "ok", value)
    return Finding("port", "warning", value, "another port for another server")
