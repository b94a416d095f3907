"""A simulated world: the server's engine under a virtual clock, network, disk and pool.

One integer, a schedule's seed, decides everything that happens: which clients come (of version 1 and of each
AEPsych dialect; loyal, repeating themselves after a broken connection, resuming, observing, intruding, rude),
how their bytes are cut and delayed, how long commits and computations take, which of them fail, which workers
die, when the server is killed or told to stop. The same seed gives the same schedule, to the last step.

Real are: the engine with its handlers and dialects, the splitter and the whole TCP transport (on a made-up
asyncio loop), `storage.perform` with the fold behind it, the pool with its priorities and deaths, and all
points that fill the space. Made up are: the clock (`clock`), the network (`network`, `mail`), the disk and
its writer (`disk`), the workers (`workers`), and what a model proposes (`stand_in`: a pure function of the
very same arguments; `real_models` computes instead).

`server` is one run of a server between its start and its end; `world` puts everything together; `clients`
(`native`, `onlookers`, `aepsych`, `rude`) live in it; `ledger` notes what they sent and got; `invariants`,
with `undisturbed`, says afterwards which promise was broken. `sabotage` breaks the engine on purpose,
because a simulator that can't fail proves nothing.

`python benchmarks/simulate_world.py --schedules 1000` runs many schedules; with `--seed 17 --schedules 1
--trace` it prints one of them step by step.
"""
