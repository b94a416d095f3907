"""`fechner doctor`: whether this machine, this record's folder and this port are fit for a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

import typer

from fechner.server.commands import doctor_machine, doctor_programs, doctor_record
from fechner.server.commands.asking import Address
from fechner.server.commands.finding import Finding
from fechner.server.commands.output import DONE, FAILED, name_record, show_json

STYLES = {"ok": "green", "warning": "yellow", "bad": "bold red"}


def doctor(db: str, address: Address, connections: int, as_json: bool) -> None:
    """Check everything and say what to do; exits 1 if anything is bad."""
    name_record(db, as_json)
    findings = list(diagnosis(db, address, connections))
    bad = sum(finding.verdict == "bad" for finding in findings)
    if as_json:
        show_json({"ok": not bad, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
    raise typer.Exit(FAILED if bad else DONE)


def diagnosis(db: str, address: Address, connections: int) -> Iterator[Finding]:
    """Every finding, in the order of the table."""
    checks: list[Callable[[], Finding | list[Finding]]] = [
        doctor_programs.versions,
        doctor_programs.libraries,
        doctor_machine.cores,
        doctor_programs.torch,
        doctor_programs.worker,
        lambda: doctor_machine.descriptors(connections),
        doctor_machine.clock,
        lambda: doctor_record.folder(db),
        lambda: doctor_record.record(db),
        lambda: doctor_machine.port(address, db),
    ]
    for check in checks:
        found = check()
        yield from found if isinstance(found, list) else [found]


def _show(findings: list[Finding]) -> None:
    """The table, and the sum of it."""
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "", "found", "what to do", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in findings:
        verdict = Text(one.verdict, STYLES[one.verdict])
        table.add_row(Text(one.check), verdict, Text(one.value), Text(one.advice))
    # A pipe has no width: don't cut what a program may read.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table)
    counts = {name: sum(one.verdict == name for one in findings) for name in STYLES}
    console.print(f"{counts['ok']} ok, {counts['warning']} to think about, {counts['bad']} bad")
