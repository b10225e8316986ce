"""The courier sandbox as a server: a port that is taken is named as that."""

import errno

import pytest

from logistics.sandbox.server import SandboxServer
from logistics.sandbox.world import World


def test_a_taken_port_is_told_as_such(sandbox: SandboxServer) -> None:
    with pytest.raises(OSError, match="in use") as fault:
        SandboxServer(World(), port=int(sandbox.server_address[1]))
    assert fault.value.errno == errno.EADDRINUSE
