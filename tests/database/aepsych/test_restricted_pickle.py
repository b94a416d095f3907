"""The restricted reader gives back plain data and refuses everything else by name."""

from __future__ import annotations

import collections
import os
import pickle
import pickletools
import struct
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechner.database.aepsych import restricted_pickle
from fechner.database.aepsych.restricted_pickle import RefusedPickleError, read

_atoms = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.times()
    | st.timedeltas()
)
_keys = (
    st.text()
    | st.integers(-(2**60) + 1, 2**60 - 1)
    | st.binary()
    | st.dates()
    | st.tuples(st.integers(-(2**60) + 1, 2**60 - 1), st.text())
)
_plain = st.recursive(
    _atoms,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(_keys, inner)
        | st.sets(_keys)
        | st.frozensets(_keys)
        | st.binary().map(bytearray)
    ),
    max_leaves=20,
)


@given(value=_plain, protocol=st.integers(0, 5))
def test_plain_data_come_back_equal(value: Any, protocol: int) -> None:
    """Of every protocol, with the types that they had."""
    found = read(pickle.dumps(value, protocol))
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(pickle.loads(pickle.dumps(value, protocol)))  # noqa: S301


@pytest.mark.parametrize("protocol", range(6))
def test_special_dicts_come_back_as_dicts(protocol: int) -> None:
    """OrderedDict and defaultdict, whose factory is left out; zones keep their offset."""
    ordered = collections.OrderedDict(b=1, a=[2])
    default = collections.defaultdict(list, {"p": [0.5]})
    assert read(pickle.dumps([ordered, default], protocol)) == [{"b": 1, "a": [2]}, {"p": [0.5]}]
    assert list(read(pickle.dumps(ordered, protocol))) == ["b", "a"]
    zoned = datetime(2024, 5, 6, 12, tzinfo=timezone(timedelta(hours=2), "CEST"))
    assert read(pickle.dumps(zoned, protocol)).isoformat() == "2024-05-06T12:00:00+02:00"
    assert read(pickle.dumps(date(2024, 5, 6), protocol)) == date(2024, 5, 6)


def test_values_used_twice_stay_equal() -> None:
    """The memo's entries may be used again, as pickles of one text in many places do."""
    text = "frequency"
    one = [text, {text: [text]}]
    assert read(pickle.dumps([one, one, text])) == [one, one, text]


class _Calls:
    """Pickled as a call of something with arguments."""

    def __init__(self, called: Callable[..., Any], *arguments: Any) -> None:
        self.made = called, arguments

    def __reduce__(self) -> Any:
        return self.made


class _WithState:
    """Pickled as an object with a state."""

    def __init__(self) -> None:
        self.secret = 1


_EVIL: dict[str, tuple[Any, str]] = {
    "os.system": (_Calls(os.system, "touch owned"), "system"),
    "eval": (_Calls(eval, "open('owned', 'w')"), "builtins.eval"),
    "exec": (_Calls(exec, "open('owned', 'w')"), "builtins.exec"),
    "open": (_Calls(open, "owned", "w"), "open"),
    "getattr": (_Calls(getattr, [], "append"), "builtins.getattr"),
    "import": (_Calls(__import__, "os"), "__import__"),
    "partial": (_Calls(partial, os.system, "touch owned"), "functools.partial"),
    "popen": (_Calls(subprocess.Popen, ["touch", "owned"]), "Popen"),
    "list of a call": ([{"p": _Calls(os.system, "touch owned")}], "system"),
    "a class": (collections.OrderedDict, "OrderedDict"),
    "a function": (os.system, "system"),
    "a class in a list": ([1, list], "builtins.list"),
    "a class as key": ({int: 1}, "builtins.(int|long)"),
    "an object": (_WithState(), "_WithState"),
    "a UUID": (uuid.UUID(int=1), "uuid.UUID"),
    "a class as factory": (collections.defaultdict(_WithState), "_WithState"),
    "a callable as factory": (_Calls(collections.defaultdict, os.getcwd), "getcwd"),
    "a list called": (_Calls(list, "abc"), "builtins.list"),
    "bytes called": (_Calls(bytes, 10**9), "builtins.bytes"),
    "numpy scalar": (np.float64(0.5), "numpy"),
    "numpy array": (np.ones(3), "numpy"),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("evil", _EVIL)
def test_anything_else_is_refused_by_name(
    evil: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is executed, and the error says what was asked for."""
    monkeypatch.chdir(tmp_path)
    value, name = _EVIL[evil]
    data = pickle.dumps(value, protocol)
    with pytest.raises(RefusedPickleError, match=name):
        read(data)
    assert list(tmp_path.iterdir()) == []


_BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "damaged"),
    "no pickle": (b"SQLite format 3", "damaged"),
    "truncated": (pickle.dumps({"type": "tell", "outcome": [1] * 30})[:-9], "damaged"),
    "no stop": (b"\x80\x02K\x01", "damaged"),
    "nothing on the stack": (b".", "damaged"),
    "two values": (b"K\x01K\x02.", "rest"),
    "only a mark": (b"(.", "damaged"),
    "memo of a mark": (b"(q\x00.", "damaged"),
    "unknown memo": (b"h\x07.", "damaged"),
    "key without value": (b"}(K\x01u.", "damaged"),
    "appends to a number": (b"K\x01(K\x02e.", "int"),
    "sets an item of a list": (b"]K\x01K\x02s.", "list"),
    "list as key": (b"}]K\x01s.", "damaged"),
    "calls a number": (b"K\x01)R.", "int"),
    "old object": (b"(ios\nsystem\n.", "os system"),
    "outside object": (b"Pabc\n.", "abc"),
    "outside object by value": (b"K\x01Q.", "outside"),
    "extension": (b"\x82\x01.", "extension"),
    "new object": (b"\x80\x02cbuiltins\nset\n)\x81.", "NEWOBJ"),
    "builds": (b"\x80\x02}}b.", "BUILD"),
    "builds a class": (b"\x80\x02cdatetime\ndate\n}b.", "BUILD"),
    "old class": (b"(cos\nsystem\no.", "os.system"),
    "next buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "later protocol": (b"\x80\x09N.", "protocol 9"),
    "dotted name": (b"\x80\x04\x8c\x08datetime\x94\x8c\x0ddatetime.date\x94\x93.", "datetime.datetime.date"),
    "wrong date": (b"cdatetime\ndate\n(K\x01tR.", "datetime.date"),
    "impossible date": (b"cdatetime\ndate\n(U\x04\xff\xff\xff\xfftR.", "damaged"),
    "tuple of too few": (b"K\x01\x86.", "damaged"),
    "another encoding": (b"c_codecs\nencode\n(Vab\nVrot13\ntR.", "_codecs.encode"),
    "number of too many digits": (b"I" + b"9" * 100_000 + b"\n.", "damaged"),
    "number of too many bits": (b"\x8b" + struct.pack("<i", 100_000) + b"\x7f" * 100_000 + b".", "4096 bits"),
    "length beyond the end": (b"\x8d" + struct.pack("<Q", 2**40) + b"a.", "damaged"),
    "nested too deep": (b"]" * 1000 + b"a" * 999 + b".", "deep"),
    "nested far too deep": (b"]" * 200_000 + b"a" * 199_999 + b".", "deep"),
    "holds itself": (b"]q\x00h\x00a.", "deep"),
    "too many instructions": (b"0".join([b"N"] * 300_000) + b".", "instructions"),
    "too large": (b"\x80\x02N" + b"." * restricted_pickle.MOST_BYTES, "bytes"),
    # Each list holds the one before ten times.
    "billion laughs": (
        b"]q\x00" + b"".join(b"0](" + b"h%c" % n * 10 + b"eq%c" % (n + 1) for n in range(30)) + b".",
        "too many",
    ),
    "billion laughs in a key": (
        b"}" + b")q\x00" + b"".join(b"0(" + b"h%c" % n * 10 + b"tq%c" % (n + 1) for n in range(30)) + b"Ns.",
        "too many",
    ),
    "keys that collide": (
        b"}("
        + b"".join(b"\x8a\x10" + ((2**61 - 1) * n).to_bytes(16, "little") + b"N" for n in range(50_000))
        + b"u.",
        "60 bits",
    ),
    "one list as many sets": (
        b"]q\x00(" + b"N" * 100_000 + b"e0c__builtin__\nset\nq\x010" + b"h\x01h\x00\x85R0" * 80_000 + b"N.",
        "too large",
    ),
    "one text many times": (
        b"(" + b"X" + struct.pack("<I", 9**6) + b"a" * 9**6 + b"q\x00" + b"h\x00" * 999 + b"l.",
        "too large",
    ),
    "one text encoded many times": (
        b"c_codecs\nencode\nq\x01(X"
        + struct.pack("<I", 9**6)
        + b"a" * 9**6
        + b"X\x06\x00\x00\x00latin1tq\x00R"
        + b"0h\x01h\x00R" * 999
        + b".",
        "too large",
    ),
}


@pytest.mark.parametrize("broken", _BROKEN)
def test_damaged_and_hostile_pickles_are_refused_quickly(broken: str) -> None:
    """With a reason, within seconds, and with no other error."""
    data, reason = _BROKEN[broken]
    begun = time.perf_counter()
    with pytest.raises(RefusedPickleError, match=reason):
        read(data)
    assert time.perf_counter() - begun < 20


@given(st.binary(max_size=60))
def test_whatever_bytes_come(data: bytes) -> None:
    """Any bytes give a value or the one error."""
    with suppress(RefusedPickleError):
        read(data)


_CODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]


@given(st.lists(st.sampled_from(_CODES) | st.binary(max_size=4), max_size=40))
def test_whatever_instructions_come(pieces: list[bytes]) -> None:
    """So does any order of instructions."""
    with suppress(RefusedPickleError):
        read(b"".join(pieces) + b".")
