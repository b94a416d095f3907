"""The sans-IO state machine: (state, event, now) to effects.

Its floors, from the ground up; a module imports from lower ones only:

1. `phases`, `principals`: how far a connection has come; who may be at its other end
2. `events`, `effects`, `options`: what goes in, what comes out, what is decided beforehand
3. `lanes`: connections, lanes of sessions, jobs
4. `agenda`: who can go on
5. `state`: all that is known, what is awaited, and how effects are given
6. `access`, `ahead`, `alarms`, `replies`, `sessions`: what is asked of the state or noted in it
7. `authentication`, `foresight`, `ownership`, `status`
8. `reattachment`, `sessionless`
9. `work`, `routing`: one step of a lane, one step of a connection
10. `receiving`, `connections`, `computations`, `deadlines`, `commits`, `readings`, `loading`: what each
    kind of event brings about
11. `engine`: takes an event to its transition, and goes on with what is on the agenda until nobody can
"""
