"""Messages between supervisor and gateway: what, and which worker."""

from __future__ import annotations

import struct

FORMAT = struct.Struct("<cI")

# To the gateway.
NEW_WORKER = b"N"  # with the gateway's end of its channel
WORKER_ENDED = b"E"  # said, since a child of the worker may hold its channel open
STOP = b"S"  # finish what was begun, then end

# To the supervisor.
READY = b"R"  # the worker can take requests
KILL = b"K"  # the worker does not answer in time
