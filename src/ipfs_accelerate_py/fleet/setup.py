"""Making the fleet's folder of a machine: for a new fleet, or from an invitation. It is there whole or not at all."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..errors import FleetError
from ..files import make_folder
from . import keys, kubo
from .folder import NAME, OWN, Fleet, FleetFolder, Ports
from .members import Member
from .naming import check_name
from .wholeness import whole_or_not

SWARM_PORT, AGENT_PORT = 4611, 4612  # where they are free; the others are whatever is
_UNFINISHED = f"{NAME}-unfinished-"  # and a process id
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,62}\.?)*")


def make_fleet(
    store: Path,
    name: str,
    *,
    key: bytes | None = None,
    listen: str = "",
    announce: str = "",
    trust: str = "hub",
    members: Iterable[Member] = (),
    program: str = "",
    contacts: Iterable[str] = (),
) -> Fleet:
    """Make the folder of a fleet in the store: Kubo's repo, the swarm key, all settings. FleetError, StoreError.

    It is made under another name and renamed when it is whole, so that one who is killed leaves no half of it.
    """
    folder = FleetFolder(store)
    check_absent(folder)
    check_name(name)
    address = listen or own_address()
    check_address(address)
    check_host(announce)
    program = kubo.find_program(program)
    unfinished = store / f"{_UNFINISHED}{os.getpid()}"
    with whole_or_not(unfinished):
        make_folder(store)
        remove_unfinished(store)
        unfinished.mkdir(0o700)
        secret = key or keys.make_key()
        peer = kubo.make_repo(program, unfinished, secret)
        ports = choose_ports(address)
        members = list(members)
        bootstrap = [each for member in members for each in member.swarm]
        kubo.configure(unfinished, address, ports, bootstrap, announce)
        (unfinished / OWN).mkdir(0o700)
        fleet = Fleet(name, peer, address, ports, announce, trust, (), program, tuple(contacts), secret)
        made = FleetFolder(store, unfinished)
        made.write(fleet)
        made.write_members(members)
        try:
            os.rename(unfinished, folder.repo)
        except OSError:
            check_absent(folder)  # another 'fleet init' or 'fleet join' was quicker
            raise
    return fleet


def check_absent(folder: FleetFolder) -> None:
    """FleetError where this machine is in a fleet, or something else has the place of its folder."""
    if folder.repo.exists():
        if folder.exists():
            raise FleetError(
                f"this machine is in the fleet {folder.read().name!r} already",
                "'fleet invite' prints its invitation; 'fleet leave' takes this machine out of it",
            )
        raise FleetError(
            f"{folder.repo} is there, and it is no folder of a fleet", "move it away, or choose another store"
        )


def remove_unfinished(store: Path) -> None:
    """Remove what a killed `make_fleet` has left."""
    for path in store.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(ValueError, OSError):
            pid = int(path.name.removeprefix(_UNFINISHED))
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                shutil.rmtree(path, ignore_errors=True)


def move(folder: FleetFolder, listen: str | None, announce: str | None) -> Fleet:
    """The fleet of this machine at another address, which is kept; None: as it is. FleetError, OSError."""
    fleet = folder.read()
    moved = replace(
        fleet,
        listen=listen or fleet.listen,
        announce=fleet.announce if announce is None else announce,
    )
    if listen:
        check_address(listen)
    check_host(moved.announce)
    if moved != fleet:
        folder.write(moved)
    return moved


def own_address() -> str:
    """The address of this machine in its network: that of the road to the outside (no packet is sent), or of its name.

    A container in a network without a road to the outside has the latter.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # a documentation address: https://www.rfc-editor.org/rfc/rfc5737
        return str(probe.getsockname()[0])
    with contextlib.suppress(OSError, UnicodeError, FleetError):
        address = socket.gethostbyname(socket.gethostname())
        check_address(address)
        return address
    return "127.0.0.1"


def contact(text: str, port: int) -> str:
    """The URL of an agent at NAME or NAME:PORT. FleetError."""
    host, number = text, str(port)
    if text.count(":") == 1:
        host, _, number = text.partition(":")
    if not host or not number.isdecimal() or not 0 < int(number) < 65536:
        raise FleetError(f"{text!r} is no NAME or NAME:PORT", "give a host name or an IP address of the fleet")
    check_host(host)
    return f"http://{f'[{host}]' if ':' in host else host}:{number}"


def check_host(host: str) -> None:
    """FleetError where a text is neither a host name nor an IP address; none is one as well."""
    if host and not (len(host) <= 253 and _HOST.fullmatch(host)):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise FleetError(
                f"{host!r} is no host name and no IP address", "give one such as models.example.org or 10.0.0.1"
            ) from None


def check_address(address: str) -> None:
    """FleetError where this machine cannot listen at an address."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    except ValueError:
        raise FleetError(f"{address!r} is no IP address", "give one of this machine, such as 10.0.0.1") from None
    try:
        with socket.socket(family) as probe:
            probe.bind((address, 0))
    except OSError as error:
        raise FleetError(
            f"this machine cannot listen at {address}: {error.strerror}",
            "give an address of this machine with --listen; one that only leads to it goes to --announce",
        ) from None


def choose_ports(listen: str) -> Ports:
    """Free ports: the usual ones for what others reach, where they are free."""
    with contextlib.ExitStack() as taken:  # all are held until the last is chosen, so that no two are one
        swarm, agent = (_take(taken, listen, usual) for usual in (SWARM_PORT, AGENT_PORT))
        api, gateway, local = (_take(taken, "127.0.0.1", 0) for _ in range(3))
        return Ports(swarm, agent, api, gateway, local)


def is_free(address: str, port: int) -> bool:
    """Return whether nobody listens at a port."""
    with contextlib.ExitStack() as taken:
        try:
            _bind(taken, address, port)
        except OSError:
            return False
        return True


def free_port(address: str) -> int:
    """A port at which nobody listens."""
    with contextlib.ExitStack() as taken:
        return _bind(taken, address, 0)


def _take(taken: contextlib.ExitStack, address: str, usual: int) -> int:
    try:
        return _bind(taken, address, usual)
    except OSError:
        return _bind(taken, address, 0)


def _bind(taken: contextlib.ExitStack, address: str, port: int) -> int:
    probe = taken.enter_context(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((address, port))
    return int(probe.getsockname()[1])
