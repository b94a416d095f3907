"""What computed, for the record."""

from fechner.server.shell.environment import LIBRARIES, differences, environment


def test_environment_names_every_library_and_the_processor() -> None:
    """Versions, threads and processor are there, as plain data."""
    here = environment()
    assert set(here["versions"]) == set(LIBRARIES)
    assert here["versions"]["numpy"]
    assert here["threads"] == 1
    assert here["processor"]


def test_differences_name_what_changed() -> None:
    """One line for each value that differs, also inside `versions`; none where all is equal."""
    here = environment()
    assert differences(here, here) == []
    other = {**here, "processor": "abacus", "versions": {**here["versions"], "scipy": "0.1"}}
    lines = differences(other, here)
    assert [line.partition(":")[0] for line in lines] == ["processor", "scipy"]
    assert "abacus recorded" in lines[0]
