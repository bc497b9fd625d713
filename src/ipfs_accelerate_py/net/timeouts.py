"""The time limits of our waits, in one place, for many of them must agree. In seconds, unless noted otherwise.

`T` is the user's time budget, `IPFS_ACCELERATE_TIMEOUT` (2 s): how long a source may be silent while there is another.
"""

from __future__ import annotations

CONNECT_NEAR = 0.25  # to a host on this machine or in a private network
CONNECT_FAR = 3.0

IDLE = 10.0  # without a byte, where no other source is left, and for work in the background
IDLE_FIRST_BYTE = 20.0  # the same before the first byte: names and peers may have to be looked up
IDLE_MIRROR = 20.0  # of a web mirror's socket; the deadline of a load is earlier
IDLE_ONLY_PEER = 4.0  # of a peer when no other is known: to ask anew would cost what was done so far

# How long a circuit breaker stays open.
OPEN_DOWN = 30.0  # nothing answered there, or no Hub did
OPEN_SILENT = 5.0  # it was silent: it may have been busy for a moment

HUB_WARM = 0.4  # times T: where all is here already, a silent Hub delays a load by less than half a second
HUB_COLD = 5.0  # times T: where no other authority is left; then plain waits, with its retries
PUBLISHERS = 3.0  # times the idle timeout: all publishers together

NODE_GRACE = 0.25  # that a node gets to answer that its own time is up
NODE_ADD = 60.0  # a node is silent while it reads and hashes a file that is added

NAME_TTL = 5.0  # that a resolved IPNS name is kept: the ttl that our publisher gives it
RESOLUTION_TTL = 10.0  # that one resolution serves all the parts of a repo
