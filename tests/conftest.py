"""What every test process needs: one thread for arithmetic, fixed before numpy is imported; a PostgreSQL.

How busy the machine is decides no test: hypothesis neither times examples nor complains of slow ones.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from fechner.strategies.numerics.threads import fix

fix()

settings.register_profile("fechner", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fechner")

#: Starts a cluster in $1 with the programs in $2, says when it is ready, ends it and removes it with stdin.
CLUSTER = """
set -e
"$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$1/log" 2>&1
"$2/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c shared_buffers=16MB \
    -c max_connections=50 -c jit=off >>"$1/log" 2>&1 &
server=$!
end() { kill -INT $server; wait $server || true; cd /; rm -rf "$1"; }
trap 'end "$1"' EXIT
trap 'exit 1' HUP INT TERM
until "$2/pg_isready" -q -h "$1"; do kill -0 $server; sleep 0.05; done
echo ready
cat >/dev/null
"""


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest if there are several."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda program: float(program.parts[-3]),
        reverse=True,
    )
    named = shutil.which("initdb")
    return found[0].parent if found else Path(named).parent if named else None


def _missing(reason: str) -> None:
    """Skip, or fail where every test has to run (FECHNER_REQUIRE_ALL=1)."""
    if os.environ.get("FECHNER_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _no_extensions_left_allowed() -> Iterator[None]:
    """What one test lets run, the next one of this process does not."""
    yield
    extensions = sys.modules.get("fechner.strategies.plugins.extensions")
    if extensions is not None:
        extensions.forbid()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a database on a real PostgreSQL.

    It is $FECHNER_POSTGRES, or in a cluster of this process's own: on a Unix socket alone, so that no port
    can be taken, and gone with this process, however that ends.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        _missing(f"no driver for PostgreSQL: {error}")
    given = os.environ.get("FECHNER_POSTGRES")
    if given:
        yield given
        return
    programs = _programs()
    if programs is None:
        _missing("PostgreSQL is not installed (apt-get install postgresql)")
    folder = tempfile.mkdtemp(prefix="fechner-postgres-", dir="/tmp")  # a socket's path has to be short
    owner: dict[str, object] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
    command = ["sh", "-c", CLUSTER, "sh", folder, str(programs)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,  # what ends the tests by a signal must not end its tidying up
        **owner,
    ) as cluster:
        assert cluster.stdout is not None
        if cluster.stdout.readline() != "ready\n":
            log = Path(folder, "log")
            pytest.fail(f"PostgreSQL didn't start: {log.read_text() if log.exists() else 'no log'}")
        yield f"postgresql://postgres@/postgres?host={folder}"
        cluster.communicate()


@pytest.fixture
def postgres_schema(postgres: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases, each a schema of its own; the URL of each. They go with the test."""
    import psycopg

    made: list[str] = []

    def make() -> str:
        made.append(f"test_{uuid.uuid4().hex}")
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {made[-1]}")
        joint = "&" if "?" in postgres else "?"
        return f"{postgres}{joint}options=-csearch_path%3D{made[-1]}"

    yield make
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in made:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(scope="session")
def aepsych() -> ModuleType:
    """Makes files as AEPsych writes them: database/aepsych_files.py."""
    file = Path(__file__).with_name("database") / "aepsych_files.py"
    spec = importlib.util.spec_from_file_location("database_aepsych_files", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
