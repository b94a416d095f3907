"""`fechner doctor`: whether this machine, this record's folder and this port are fit for a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from fechner.server.commands import doctor_machine, doctor_programs, doctor_record
from fechner.server.commands.asking import Address
from fechner.server.commands.finding import Finding
from fechner.server.commands.output import DONE, FAILED, name_record, screen, show_json
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from rich import box, table, text
else:
    box, table, text = map(Lazy, ("rich.box", "rich.table", "rich.text"))

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
    drawn = table.Table("check", "", "found", "what to do", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in findings:
        verdict = text.Text(one.verdict, STYLES[one.verdict])
        drawn.add_row(text.Text(one.check), verdict, text.Text(one.value), text.Text(one.advice))
    console = screen()
    console.print(drawn)
    counts = {name: sum(one.verdict == name for one in findings) for name in STYLES}
    console.print(f"{counts['ok']} ok, {counts['warning']} to think about, {counts['bad']} bad")
