"""`fleet`: machines that give each other what one of them has downloaded."""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from ..fleet_tables import print_models, print_seeds, print_status
from ..invitations import take_invitation, write_invitation
from ..output import prepare, print_json, tell, warn
from ..parser import refuse
from ..program import GOOD, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...config.settings import Settings
    from ...operations.membership import Place

HELP = "make a fleet of machines, join one, and see what its members have"
MORE = """
The first machine makes the fleet and prints an invitation; every other one joins with it. From then on what one of
them has downloaded the others take from there. The invitation is a secret: who has it can join.

  init [NAME]       make a new fleet, with this machine as its first member
  join INVITATION   take this machine into the fleet of an invitation; '-' reads it from the standard input,
                    '@FILE' from a file
  invite            print the invitation, for one more machine
  start, stop       the agent of this machine, in the background
  run               the agent in the foreground, for systemd and containers
  status            the fleet as this machine sees it
  ls                which models the machines have
  seed              offer what is in this machine's Hugging Face caches: public repos, verified first
  trust PEER        take a member's word on commits and hashes while the Hub is down; distrust PEER: no more
  leave             take this machine out of the fleet; the models stay

In a container: 'join @FILE --no-start', then 'run --listen ADDRESS'. Both can be said again at every start, as can
'init NAME' by the machine that is in the fleet NAME."""
EXAMPLES = """\
fleet init
fleet join ipfs-fleet1:eJy...
fleet init lab --listen 10.0.0.1 --trust members
fleet init lab --no-start --address agents.models.svc --write invitation
fleet join @invitation --no-start
fleet status
fleet ls --json
fleet seed --dry-run
fleet trust 12D3KooWA...
fleet leave"""
INTERMIXED = True
_WITH_VALUE = {"init": False, "join": True, "trust": True, "distrust": True}  # whether the action needs its argument
_OPTIONS = {
    "listen": ("init", "join", "run"),
    "announce": ("init", "join", "run"),
    "address": ("init", "invite"),
    "write": ("init", "invite"),
    "ipfs": ("init", "join"),
    "no_start": ("init", "join"),
    "trust": ("init",),
    "dry_run": ("seed",),
}
_ACTIONS = ("init", "join", "invite", "start", "stop", "run", "status", "ls", "seed", "trust", "distrust", "leave")


def declare(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=_ACTIONS, help="see above")
    parser.add_argument("value", metavar="NAME|INVITATION|PEER", nargs="?", help="of init, join, trust, distrust")
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        help="init, join, run: the address of this machine that the others reach (default: its own in the network)",
    )
    parser.add_argument(
        "--announce",
        metavar="ADDRESS",
        help="init, join, run: another address, or a name, that leads here, where a router or container stands between",
    )
    parser.add_argument(
        "--address",
        metavar="NAME[:PORT]",
        action="append",
        help="init, invite: a name in the invitation at which some member answers, such as a headless Service of "
        "Kubernetes; may be given several times",
    )
    parser.add_argument(
        "--write",
        metavar="FILE",
        help="init, invite: write the invitation to a file that its owner alone can read, and do not print it",
    )
    parser.add_argument("--ipfs", metavar="PATH", help="init, join: Kubo's program (default: ipfs on PATH)")
    parser.add_argument("--no-start", action="store_true", default=None, help="init, join: do not start the agent")
    parser.add_argument(
        "--trust",
        choices=("hub", "members"),
        help="init: whose word counts while the Hub is down: that of no member (default), or of all",
    )
    parser.add_argument("--dry-run", action="store_true", default=None, help="seed: only show what it would do")


def execute(args: Namespace) -> int:
    action: str = args.action
    needs = _WITH_VALUE.get(action)
    if args.value is not None and needs is None:
        refuse(f"fleet {action} takes no argument, and {args.value!r} is one", f"see '{PROGRAM} fleet --help'")
    if needs and not args.value:
        what = "INVITATION" if action == "join" else "PEER"
        refuse(f"fleet {action} needs its argument, {what}", f"see '{PROGRAM} fleet --help'")
    for option, actions in _OPTIONS.items():
        if getattr(args, option) is not None and action not in actions:
            name = "--" + option.replace("_", "-")
            refuse(f"fleet {action} has no option {name}", f"{name} belongs to fleet {' and fleet '.join(actions)}")
    settings = prepare(args)
    if settings.fleet == "off":
        warn("Hint: IPFS_ACCELERATE_FLEET is off: programs here do not use the fleet")
    doers: dict[str, Callable[[Namespace, Settings], int]] = {
        "init": _init,
        "join": _join,
        "invite": _invite,
        "start": _start,
        "stop": _stop,
        "run": _run,
        "status": print_status,
        "ls": print_models,
        "seed": print_seeds,
        "trust": _trust,
        "distrust": _trust,
        "leave": _leave,
    }
    return doers[action](args, settings)


def _places(args: Namespace) -> dict[str, Any]:
    return {
        "listen": args.listen or "",
        "announce": args.announce or "",
        "program": args.ipfs or "",
        "start": not args.no_start,
    }


def _init(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    place = membership.init(settings, args.value, trust=args.trust, contacts=args.address or (), **_places(args))
    if args.write:
        place = dataclasses.replace(place, invitation=None, written=write_invitation(args.write, str(place.invitation)))
    if args.json:
        print_json(place.to_dict())
        return GOOD
    made = f"the fleet {place.fleet} is made, and this machine is its first member"
    _tell_place(args, place, made if place.made else f"this machine is in the fleet {place.fleet}")
    if place.written:
        tell(args, f"the invitation, a secret, for every other machine is in {place.written}")
        return GOOD
    tell(args, "The invitation, a secret, for every other machine:\n")
    print(f"  ipfs-accelerate fleet join {place.invitation}")  # also with --quiet: it is what was asked for
    return GOOD


def _join(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    place = membership.join(settings, take_invitation(args.value), **_places(args))
    if args.json:
        print_json(place.to_dict())
    else:
        _tell_place(args, place, f"this machine is in the fleet {place.fleet}")
    if place.running and not place.met:
        for url, why in place.unmet.items():
            warn(f"Warning: {why or f'{url} has not answered yet'}")
        warn(
            "Hint: no other member answers yet: does the agent of one run ('fleet status' there), and do firewalls let "
            "its two ports through? This machine goes on asking"
        )
    elif place.met:
        tell(args, f"it has met {', '.join(place.met)}")
    return GOOD


def _tell_place(args: Namespace, place: Place, line: str) -> None:
    tell(args, line)
    tell(args, f"its peer id is {place.peer}, its store {place.store}")
    if place.running:
        tell(args, f"its agent runs; the others reach it at {place.url}")
    else:
        tell(args, "its agent does not run yet: 'fleet start'")


def _invite(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    text = membership.invite(settings, args.address or ())
    if args.write:
        path = write_invitation(args.write, text)
        if args.json:
            print_json({"invitation": None, "written": path})
        else:
            tell(args, f"the invitation, a secret, is in {path}")
    elif args.json:
        print_json({"invitation": text})
    else:
        print(text)
    return GOOD


def _start(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    place = membership.start_agent(settings)
    if args.json:
        print_json(place.to_dict())
    else:
        tell(args, f"the agent runs; the others reach it at {place.url}")
    return GOOD


def _stop(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    ran = membership.stop_agent(settings)
    if args.json:
        print_json({"stopped": ran})
    else:
        tell(args, "the agent has ended" if ran else "the agent did not run")
    return GOOD


def _run(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    return membership.run_agent(settings, listen=args.listen, announce=args.announce, log=not args.quiet)


def _leave(args: Namespace, settings: Settings) -> int:
    from ...operations import membership

    left = membership.leave(settings)
    if args.json:
        print_json({"fleet": left.name, "id": left.id})
    else:
        tell(args, f"this machine has left the fleet {left.name}; the models in {settings.home} stay")
    return GOOD


def _trust(args: Namespace, settings: Settings) -> int:
    from ...operations import fleet

    trusted = fleet.trust(settings, args.value, trusted=args.action == "trust").trusted
    if args.json:
        print_json({"trusted": list(trusted)})
    else:
        tell(args, f"trusted while the Hub is down: {', '.join(trusted) or 'no member'}")
    return GOOD
