"""The peer in this process: requests on standard input, replies and their times on standard output.

Run by the peer's interpreter, in which Fechner need not be installed:

    PEER_PYTHON peer_runner.py FILE.db

Each line is a request of the 0.8 dialect as JSON; each answer is `{"seconds": …, "reply": …}` on a line.
"""

import json
import os
import sys
import time


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the peer prints
    from aepsych.server import AEPsychServer  # type: ignore[import-not-found]

    server = AEPsychServer(database_path=sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        begun = time.perf_counter()
        try:
            reply = server.handle_request(request)
        except Exception as error:
            reply = {"server_error": f"{type(error).__name__}: {error}"}
        seconds = time.perf_counter() - begun
        answers.write(json.dumps({"seconds": seconds, "reply": reply}, default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
