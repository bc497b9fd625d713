"""The agent from its start to its end: the lock, Kubo, the two sites, the gossip, the outbox."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import FleetError, IPFSAccelerateError
from ..fleet import kubo as kubo_settings
from ..fleet import setup
from ..fleet.folder import AgentPlace, Fleet, FleetFolder
from ..log import get_logger
from ..publish import outbox
from ..store.store import Store
from . import gossip, holdings
from .agent import Agent
from .kubo import Kubo
from .server import serve

_LOCK = 2.0  # seconds: who looks whether it runs holds the lock for a moment
_LOG_LIMIT = 4 << 20
_KUBO = 30.0  # seconds that the outbox waits for Kubo; then it goes on without it


def run(store: Path, *, listen: str | None = None, announce: str | None = None, with_kubo: bool = True) -> int:
    """Run the agent of a store until SIGTERM or SIGINT; returns the exit code. FleetError where it cannot run.

    `listen`, `announce`: the addresses of this machine from now on; None: as they were.
    """
    folder = FleetFolder(store)
    try:
        with FileLock(folder.agent_lock, timeout=_LOCK):
            with contextlib.suppress(OSError):
                folder.agent.unlink()  # of one that was ended by force: its process id may be another program's now
            fleet = setup.move(folder, listen, announce)
            os.environ["IPFS_ACCELERATE_HOME"] = str(store)  # for what reads the settings
            try:
                asyncio.run(_run(folder, check_places(folder, fleet), with_kubo))
            finally:
                with contextlib.suppress(OSError):
                    folder.agent.unlink()
    except Timeout:
        raise FleetError("the agent of this machine runs already", "'fleet status' shows it") from None
    return 0


def check_places(folder: FleetFolder, fleet: Fleet) -> Fleet:
    """The fleet with an address and ports that this machine has and that are free, which are kept from now on."""
    listen, ports = fleet.listen, fleet.ports
    try:
        setup.check_address(listen)
    except FleetError as error:
        listen = setup.own_address()
        get_logger().warning("%s; it is at %s now", error, listen)
    for name, address in (
        *(("swarm", listen), ("agent", listen)),
        *(("api", "127.0.0.1"), ("gateway", "127.0.0.1"), ("local", "127.0.0.1")),
    ):
        if not setup.is_free(address, port := getattr(ports, name)):
            other = setup.free_port(address)
            get_logger().warning("port %s of %s is in use by another program; it is %s now", port, address, other)
            ports = dataclasses.replace(ports, **{name: other})
    moved = dataclasses.replace(fleet, listen=listen, ports=ports)
    if moved != fleet:
        folder.write(moved)
    return moved


async def _run(folder: FleetFolder, fleet: Fleet, with_kubo: bool) -> None:
    store, stopped = Store(folder.store), threading.Event()
    kubo = Kubo(folder, fleet) if with_kubo else None
    agent = Agent(store, folder, fleet, kubo)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if kubo is not None:
        addresses = [address for member in agent.members for address in member.swarm]
        kubo_settings.configure(folder.repo, fleet.listen, fleet.ports, addresses, fleet.announce)
        kubo.start()
    publishing = threading.Thread(target=_publish, args=(store, kubo, stopped), name="outbox", daemon=True)
    talk, tasks = gossip.Gossip(agent), []
    try:
        async with serve(agent):
            place = AgentPlace(os.getpid(), fleet.ports.local, agent.started, kubo.pid if kubo else 0)
            folder.write_secret(folder.agent, dataclasses.asdict(place))
            tasks = [asyncio.create_task(each) for each in (talk.run(), holdings.keep_telling(agent))]
            get_logger().info("the agent of the fleet %r is at %s", fleet.name, agent.url)
            publishing.start()
            await asyncio.wait([asyncio.create_task(ended.wait()), *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    raise error
    finally:
        stopped.set()
        for task in tasks:
            task.cancel()
        talk.keep()
        await agent.calls.close()
        if kubo is not None:
            await loop.run_in_executor(None, kubo.stop)
        if publishing.is_alive():
            publishing.join(5)


def _publish(store: Store, kubo: Kubo | None, stopped: threading.Event) -> None:
    """Work off the outbox for as long as the agent runs, once Kubo is there."""
    if kubo is not None and kubo.wait(_KUBO):
        get_logger().info("Kubo is %s", kubo.fleet.peer)
    while not stopped.is_set():
        try:
            outbox.work_off(store, stopped)
        except Exception:
            get_logger().exception("the outbox")
        stopped.wait(1.0)


def log_to_stderr() -> None:
    """Let what the agent does be told on stderr, with times in UTC."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr, force=True
    )
    logging.Formatter.converter = time.gmtime
    for name in ("aiohttp.access", "urllib3", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)
    get_logger().setLevel(logging.INFO)


def main() -> int:
    """`python -m ipfs_accelerate_py.agent STORE`: what `process.start` starts."""
    store = Path(sys.argv[1])
    log = FleetFolder(store).agent_log
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LOG_LIMIT:
            os.replace(log, log.with_suffix(".log.1"))
    log_to_stderr()
    try:
        return run(store, with_kubo="--without-kubo" not in sys.argv[2:])
    except IPFSAccelerateError as error:
        get_logger().error("%s; %s", error, error.hint)
        return 1
    except OSError as error:  # a file of the fleet, or of its Kubo, that is gone, or on a disk that fails
        get_logger().error("the agent cannot run: %s", error)
        return 1
