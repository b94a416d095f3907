"""The plug-ins that a configuration can name: those of installed packages and of its extensions."""

from __future__ import annotations

from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.keys import COMMON_KEYS
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.specification import Extension

MOST = 20


def gather(sections: Sections) -> tuple[Extension, ...]:
    """Put the plug-ins into the sections' catalogue; says which files were run for it.

    What can't be used is noted: an extension that is refused is a problem, an installed plug-in only where
    the configuration names it.
    """
    report = sections.report
    catalogue: dict[str, Entry] = {**CLASSES, **_installed(sections)}
    found: list[Extension] = []
    names = sections.read([], "extensions", COMMON_KEYS["extensions"]) or ()
    place = sections.find([], "extensions")
    section = place.section if place is not None else ""
    if len(names) > MOST:
        detail = f"has {len(names)} files; at most {MOST} are accepted"
        report.problem(section, "extensions", "", detail, code="extension_refused")
        names = ()
    for name in dict.fromkeys(names):
        from fechner.strategies.plugins.declare import PluginError
        from fechner.strategies.plugins.extensions import load

        try:
            loaded = load(name)
        except PluginError as error:
            detail, _, hint = str(error).partition(": start with ")
            hint = f"start with {hint}" if hint else "mend the file or its name"
            report.problem(section, "extensions", name, detail, hint, "extension_refused")
            continue
        for one, entry in loaded.entries.items():
            if one in catalogue:
                detail = f"declares {one}, a name that another plug-in has"
                report.problem(section, "extensions", name, detail, "rename it", "extension_refused")
            catalogue[one] = entry
        found.append(loaded.extension)
    sections.catalogue = catalogue
    return tuple(found)


def _installed(sections: Sections) -> dict[str, Entry]:
    """The plug-ins of installed packages; one that is refused is a warning where it is named."""
    from fechner.strategies.plugins import installed

    for name, source in installed.shadowed().items():
        if name in sections.texts or any(name in keys.values() for keys in sections.texts.values()):
            detail = f"the plug-in {name} of {source} is refused: it has the name of a class of ours"
            sections.report.warn(name, "", "", detail, "rename the plug-in", "plugin_refused")
    return installed.entries()
