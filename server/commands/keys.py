"""`fechner token` and `fechner curve-key`."""

from __future__ import annotations

from fechner.server.commands.output import fail, show_json
from fechner.server.engine.principals import Role
from fechner.server.shell.secrets import SecurityError, add_token, new_curve_key, new_token


def token(role: Role, token_file: str | None, as_json: bool) -> None:
    """Print a fresh token; put it into a file of tokens if one is named."""
    made = new_token()
    if token_file is not None:
        try:
            add_token(token_file, role, made)
        except SecurityError as error:
            fail(str(error))
    if as_json:
        show_json({"role": role, "token": made, "token_file": token_file})
    elif token_file is None:
        print(f"{role}:{made}")
    else:
        print(made)


def curve_key(file: str, as_json: bool) -> None:
    """Write a pair of keys and say where."""
    try:
        public_file, public = new_curve_key(file)
    except SecurityError as error:
        fail(str(error))
    if as_json:
        show_json({"file": file, "public_file": str(public_file), "public_key": public})
        return
    print(f"secret keys: {file} (for `fechner serve --curve-key {file}`)")
    print(f"public key:  {public_file} (for clients): {public}")
