"""Whether a server is the same after hours: many clients for minutes, or messages by the million.

`--clients 200 --minutes 10`: each client has a session of its own, some over ZMQ, and takes
`--response-seconds` to respond; first come trials that a model chooses, then Sobol trials to the end.
`--messages 1000000`: `--sessions` clients ask and tell as fast as they are answered, with pings, infos and
parameters between; their connections break or change, they resume, send requests again, and end their
sessions, or vanish without.

One process drives all clients. Every reply must be ok. Memory and descriptors of the server and of its worker
are sampled; what counts is whether they grow after the warm-up, and what is left when all clients are gone.

    python benchmarks/soak.py --clients 200 --minutes 10
    python benchmarks/soak.py --messages 1000000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import zmq.asyncio
from machine import describe, sentence
from results import show
from talkers import SOBOL, Ledger, Talker, modelled
from watch import Server, served

#: Of the clients, every so manieth comes over ZMQ.
ZMQ_EVERY = 8

#: Before this share of the run all is warming up.
WARM_UP = 0.2


async def participant(
    talker: Talker, number: int, seconds: float, trials: int, pause: float, until: float
) -> None:
    """One experiment to the end of the run: a trial, a response that takes its time, the next trial."""
    draw = random.Random(number)
    await asyncio.sleep(draw.uniform(0, pause))
    await talker.connect()
    await talker.call("setup", {"config": modelled(5, trials), "seed": number})
    while time.monotonic() < until:
        found = await talker.call("ask")
        if found is None:
            break
        await asyncio.sleep(draw.uniform(0.5, 1.5) * seconds)
        (trial,) = found["trials"]
        outcome = int(trial["config"]["x"] + draw.gauss(0, 0.1) > 0.5)
        await talker.call("tell", {"trial": trial["trial"], "outcome": outcome})
    await talker.call("exit")
    await talker.leave()


async def episode(talker: Talker, draw: random.Random, trials: int, config: str) -> None:
    """One session: its connection changes in the middle, a request is sent twice, and it ends somehow."""
    session = str(uuid.UUID(int=draw.getrandbits(128), version=4))
    await talker.connect()
    await talker.call("setup", {"config": config, "seed": 1}, session=session, id="setup")
    for number in range(trials):
        found = await talker.call("ask", id=f"ask-{number}")
        if found is None or not found["trials"]:
            break
        (trial,) = found["trials"]
        told = {"trial": trial["trial"], "outcome": int(trial["config"]["x"] > 0.5)}
        await talker.call("tell", told, id=f"tell-{number}")
        await talker.call(draw.choice(("ping", "info", "parameters")))
        if number == trials // 2:
            await talker.leave(reset=draw.random() < 0.5)
            await talker.connect()
            await resume(talker, session)
            again = await talker.call("tell", told, id=f"tell-{number}", kind="sent again")
            assert again is None or again["trials"] == [trial["trial"]]
    if draw.random() < 0.75:
        await talker.call("exit")
    await talker.leave(reset=draw.random() < 0.5)


async def resume(talker: Talker, session: str) -> None:
    """As soon as the server has heard that the old connection is gone."""
    text = json.dumps({"version": "1", "type": "resume", "message": {"session": session}}).encode()
    until = time.monotonic() + 60
    while b'"session_busy"' in await talker.exchange(text):
        assert time.monotonic() < until, "a session is not set free"
        await asyncio.sleep(0.01)


async def watch(server: Server, ledger: Ledger, samples: list[dict[str, Any]], every: float) -> None:
    """Samples for ever."""
    begun = time.monotonic()
    while True:
        sample = await asyncio.to_thread(server.sample)
        samples.append({"seconds": time.monotonic() - begun, "messages": ledger.total, **sample})
        logging.info("%s", samples[-1])
        await asyncio.sleep(every)


async def run(server: Server, given: argparse.Namespace) -> dict[str, Any]:
    """All clients at once; what they and the server's processes have to say."""
    ledger, samples = Ledger(), [{"seconds": 0.0, "messages": 0, **server.sample()}]
    context = zmq.asyncio.Context()
    context.set(zmq.MAX_SOCKETS, 10_000)
    begun = time.monotonic()

    def talker(number: int) -> Talker:
        if number % ZMQ_EVERY == ZMQ_EVERY - 1:
            return Talker(server.zmq_port, ledger, context)
        return Talker(server.port, ledger)

    async def many(number: int) -> None:
        draw = random.Random(number)
        config = modelled(5, 10) if number < given.model_sessions else SOBOL
        until = begun + 60 * given.most_minutes
        while ledger.total < given.messages and time.monotonic() < until:
            await episode(talker(number), draw, given.trials, config)

    watching = asyncio.create_task(watch(server, ledger, samples, given.sample_seconds))
    if given.messages:
        await asyncio.gather(*(many(number) for number in range(given.sessions)))
    else:
        seconds = 60 * given.minutes
        await asyncio.gather(
            *(
                participant(
                    talker(number),
                    number,
                    given.response_seconds,
                    given.model_trials,
                    min(given.response_seconds, seconds / 4),
                    begun + seconds,
                )
                for number in range(given.clients)
            )
        )
    took = time.monotonic() - begun
    watching.cancel()
    context.destroy(linger=0)
    last = {"seconds": took, "messages": ledger.total, **server.sample()}
    left = await settled(server)
    return report(ledger, [*samples, last], took) | {
        "left": {"connections": left["connections"]["open"] - 1, "sessions": left["n_sessions"]},
        "computations": left["computations"],
        "after": server.sample(),
    }


async def settled(server: Server) -> dict[str, Any]:
    """The server's status once it has heard that everybody is gone, or after a while."""
    until = time.monotonic() + 15
    while True:
        found = await asyncio.to_thread(server.status)
        gone = found["connections"]["open"] == 1 and not found["n_sessions"]
        if gone or time.monotonic() > until:
            return found
        await asyncio.sleep(0.05)


def report(ledger: Ledger, samples: list[dict[str, Any]], took: float) -> dict[str, Any]:
    """Figures of a run."""
    warm = next(one for one in samples if one["seconds"] >= WARM_UP * took)
    times = {
        kind: {
            "n": len(found),
            **{
                name: float(np.quantile(found, q))
                for name, q in (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
            },
        }
        for kind, found in sorted(ledger.times.items())
    }
    return {
        "seconds": took,
        "messages": dict(ledger.messages),
        "total": ledger.total,
        "faults": dict(ledger.faults),
        "times": times,
        "start": samples[0],
        "warm": warm,
        "end": samples[-1],
        "samples": samples,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--response-seconds", type=float, default=2.0)
    parser.add_argument("--model-trials", type=int, default=20)
    parser.add_argument("--messages", type=int, default=0, help="instead, about so many messages")
    parser.add_argument("--most-minutes", type=float, default=600.0, help="end by then, with --messages")
    parser.add_argument("--sessions", type=int, default=16, help="at a time, with --messages")
    parser.add_argument("--model-sessions", type=int, default=1, help="of these")
    parser.add_argument("--trials", type=int, default=40, help="of each session, with --messages")
    parser.add_argument("--workers", type=int, help="the server's default if not given")
    parser.add_argument("--sample-seconds", type=float, default=5.0)
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--verbose", action="store_true", help="each sample, on standard error")
    given = parser.parse_args()
    logging.basicConfig(level="INFO" if given.verbose else "WARNING")
    machine = describe()
    options = [] if given.workers is None else ["--workers", str(given.workers)]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), *options) as server:
        found = asyncio.run(run(server, given))
    if given.json:
        print(json.dumps({"machine": machine, "runs": [found]}))
        return
    rows = [
        (kind, str(times["n"]), *(f"{times[name]:.1f}" for name in ("median", "p95", "p99")))
        for kind, times in found["times"].items()
    ]
    text = f"{found['total']} messages in {found['seconds']:.0f} s, {sum(found['faults'].values())} errors"
    show(
        ("request", "n", "ms", "95 %", "99 %"), rows, f"{text}. {sentence(machine)}", markdown=given.markdown
    )
    for fault, count in sorted(found["faults"].items(), key=lambda item: -item[1])[:10]:
        print(f"{count} x {fault}")
    held = (
        "server_mb",
        "worker_mb",
        "server_descriptors",
        "worker_descriptors",
        "record_mb",
    )
    rows = [
        (name, *(f"{found[when][key]:.0f}" for key in held))
        for name, when in (("start", "start"), ("warm", "warm"), ("end", "end"), ("all gone", "after"))
    ]
    grown = found["end"]["server_mb"] - found["warm"]["server_mb"]
    columns = ("when", "server MB", "worker MB", "server descriptors", "worker descriptors", "record MB")
    text = f"Grown after the warm-up: {grown:+.1f} MB of the server; left: {found['left']}."
    show(columns, rows, text, markdown=given.markdown)


if __name__ == "__main__":
    main()
