"""Who is told what about a file: as tables of steps, each `(seconds later, who, what it does, what it is told)`."""

import pytest

from ipfs_accelerate_py.fleet import directory as module
from ipfs_accelerate_py.fleet.claim import IDLE, LEASE, SLOW, WITHHELD
from ipfs_accelerate_py.fleet.directory import HOLD, MOST_CLAIMS, REFUSED, Directory

FOLDER = "models--acme--model"
FILE = (FOLDER, "e" * 64)
SIZE = 1 << 30
MB = 1 << 20


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def directory(time):
    return Directory(time)


def ask(directory, peer, **options):
    """What it is told: "mine", whom to follow, or "nobody"; and the holders."""
    found = directory.find(peer, FILE, SIZE, **options)
    assert not found.mine or found.follow == peer
    return "mine" if found.mine else found.follow or "nobody", list(found.holders)


STEPS = {
    "the first claims, the second follows": [(0, "a", {}, "mine"), (0, "b", {}, "a")],
    "who does not claim is given nothing": [(0, "a", {"claim": False}, "nobody"), (0, "b", {}, "mine")],
    "who does not claim follows all the same": [(0, "a", {}, "mine"), (0, "b", {"claim": False}, "a")],
    "an owner that does not claim any more": [(0, "a", {}, "mine"), (0, "a", {"claim": False}, "nobody")],
    "a lease that is renewed goes on": [
        (0, "a", {}, "mine"),
        *[(1, "a", {"arrived": MB}, "mine")] * 9,
        (1, "b", {}, "a"),
    ],
    "a lease ends": [(0, "a", {}, "mine"), (0, "b", {}, "a"), (LEASE + 0.1, "b", {}, "mine"), (0, "a", {}, "b")],
    "a lease that nobody waited for ends, and is given again": [(0, "a", {}, "mine"), (LEASE + 0.1, "a", {}, "mine")],
    "lost, but it grows": [
        (0, "a", {}, "mine"),
        (0, "b", {}, "a"),
        (1, "a", {"arrived": MB}, "mine"),
        (1, "b", {"lost": ["a"]}, "a"),
    ],
    "lost, and it has not grown": [
        (0, "a", {}, "mine"),
        (0, "b", {}, "a"),
        (1, "a", {"arrived": MB}, "mine"),
        (1, "a", {"arrived": MB}, "mine"),
        (IDLE - 0.9, "b", {"lost": ["a"]}, "mine"),
        (0, "a", {"arrived": 2 * MB}, "b"),
    ],
    "it has not begun, which takes two answers of the Hub": [
        (0, "a", {}, "mine"),
        (IDLE, "b", {}, "a"),
        (0, "a", {}, "mine"),
        (0.5, "b", {"lost": ["a"]}, "a"),
        (IDLE, "b", {"lost": ["a"]}, "mine"),
    ],
    "nobody takes it away without its having failed": [(0, "a", {}, "mine"), (1, "b", {"lost": ["a"]}, "a")],
    "lost twice, with nothing between": [
        (0, "a", {}, "mine"),
        (0, "b", {}, "a"),
        (1, "a", {"arrived": 9 * MB}, "mine"),
        (1, "b", {"lost": ["a"], "arrived": MB}, "a"),
        (0, "b", {"lost": ["a"], "arrived": MB}, "mine"),
    ],
    "lost twice, with much between": [
        (0, "a", {}, "mine"),
        (0, "b", {}, "a"),
        (1, "a", {"arrived": 9 * MB}, "mine"),
        (1, "b", {"lost": ["a"], "arrived": MB}, "a"),
        (0, "b", {"lost": ["a"], "arrived": 2 * MB}, "a"),
    ],
    "another than the owner is lost": [
        (0, "a", {}, "mine"),
        (0, "b", {}, "a"),
        (0, "c", {}, "a"),
        (0, "d", {}, "b"),
        (1, "d", {"lost": ["b"]}, "a"),
        (1, "e", {}, "b"),
    ],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_who_fetches_and_who_follows(directory, time, steps):
    for later, peer, options, told in steps:
        time.now += later
        assert ask(directory, peer, **options)[0] == told, (peer, options)


def test_the_followers_form_a_tree_in_which_nobody_has_more_than_two(directory):
    peers = [f"p{number}" for number in range(200)]
    told = {peer: ask(directory, peer)[0] for peer in peers}
    assert told.pop("p0") == "mine"
    for number, peer in enumerate(peers[1:], 1):
        assert told[peer] == peers[(number - 1) // 2]
    assert max(list(told.values()).count(peer) for peer in peers) == 2
    assert {ask(directory, peer)[0] for peer in peers[1:]} == set(told.values())  # asked again, the same


def test_whom_nobody_is_told_to_follow_any_more(directory):
    for peer in "abcd":
        ask(directory, peer)
    directory.release("b", FILE, done=False)
    assert ask(directory, "e")[0] == "a" and ask(directory, "d")[0] == "a"
    ask(directory, "b")  # it wants it again
    assert ask(directory, "d")[0] == "b"


def test_who_has_it_whole_is_a_holder(directory, time):
    ask(directory, "a")
    directory.release("a", FILE, done=True)
    assert ask(directory, "b", claim=False) == ("nobody", ["a"])
    assert ask(directory, "a", claim=False) == ("nobody", [])
    assert ask(directory, "b", claim=False, lost=["a"]) == ("nobody", [])
    assert ask(directory, "b") == ("mine", ["a"])  # should the holder not have it after all
    time.now += HOLD + 1
    assert ask(directory, "c", claim=False)[1] == []


def test_who_gave_up_is_none(directory):
    ask(directory, "a")
    directory.release("a", FILE, done=False)
    assert ask(directory, "b") == ("mine", [])


def test_a_release_of_what_is_another_s_changes_nothing(directory):
    ask(directory, "a")
    directory.release("b", FILE, done=False)
    directory.release("b", FILE, done=True)
    assert ask(directory, "c") == ("a", ["b"])


def test_holders_of_a_repo_come_after_those_of_the_file(directory, time):
    directory.hold("far", [FOLDER, "models--acme--other"])
    directory.release("near", FILE, done=True)
    assert ask(directory, "x", claim=False)[1] == ["near", "far"]
    assert directory.holders(FOLDER) == ["far"]
    time.now += HOLD - 1
    directory.hold("far", [FOLDER])
    time.now += 2
    assert ask(directory, "x", claim=False)[1] == ["far"]
    directory.forget("far")
    assert ask(directory, "x", claim=False)[1] == [] and directory.holders(FOLDER) == []


def test_each_holder_is_named_first_in_its_turn(directory, time):
    for number in range(20):
        directory.hold(f"h{number}", [FOLDER])
    first = set()
    for _ in range(200):
        time.now += 0.013
        holders = ask(directory, "x", claim=False)[1]
        assert len(holders) == len(set(holders)) == module.GIVEN
        first.add(holders[0])
    assert len(first) == 20


def test_a_member_that_leaves_leaves_its_claims(directory):
    ask(directory, "a")
    directory.forget("a")
    assert ask(directory, "b")[0] == "mine"
    directory.forget("nobody")


def test_nobody_follows_one_that_has_left(directory):
    order = "abcd"
    assert [ask(directory, peer)[0] for peer in order] == ["mine", "a", "a", "b"]
    directory.forget("b")
    assert ask(directory, "d")[0] == "a"


def drip(directory, time, owner, rate, seconds=3 * IDLE, held=0):
    """Its bytes come at a rate, for so long; how many it has then."""
    for second in range(int(seconds)):
        time.now += 1
        ask(directory, owner, arrived=held + int(rate * (second + 1)))
    return held + int(rate * int(seconds))


@pytest.mark.parametrize(("rate", "told"), [(SLOW // 4, "mine"), (SLOW * 4, "a")])
def test_one_that_drips_is_replaced(directory, time, rate, told):
    ask(directory, "a")
    ask(directory, "b")
    drip(directory, time, "a", rate)
    assert ask(directory, "b", slow="a", arrived=rate * 5)[0] == told


def test_where_all_drip_it_is_the_hub_and_it_is_not_asked_by_all(directory, time):
    peers = [f"p{number}" for number in range(20)]
    owner = peers[0]
    assert ask(directory, owner)[0] == "mine"
    owners, held = {owner}, 0
    for peer in peers[1:]:
        held = drip(directory, time, owner, SLOW // 8, 2 * IDLE + 1, held)
        told = ask(directory, peer, slow=owner, arrived=held)[0]
        owner = peer if told == "mine" else owner
        owners.add(owner)
    assert len(owners) <= 1 + module.DRIPS * 2  # within two minutes


def test_one_that_gives_little_of_what_it_says_it_has(directory, time):
    ask(directory, "a")
    ask(directory, "b")
    for second in range(1, 4):
        time.now += 1
        ask(directory, "a", arrived=second * 10 * MB)
    assert ask(directory, "b", slow="a", arrived=MB)[0] == "a"
    assert ask(directory, "b", slow="a", arrived=2 * MB - 1)[0] == "mine"


def test_one_that_claims_everything_and_delivers_nothing(directory, time):
    """It renews its claim and says that its bytes come; nobody gets one of them."""
    ask(directory, "liar")
    ask(directory, "b")
    arrived = 0
    for _ in range(4):
        time.now += 1
        arrived += 10 * MB
        ask(directory, "liar", arrived=arrived)
    assert ask(directory, "b", lost=["liar"])[0] == "liar"  # the connection may have broken
    assert ask(directory, "c")[0] == "liar"
    assert ask(directory, "b", lost=["liar"])[0] == "mine"
    assert ask(directory, "liar")[0] == "b"
    directory.release("b", FILE, done=False)
    assert ask(directory, "liar")[0] == "nobody"  # not again, for a while
    time.now += REFUSED
    assert ask(directory, "liar")[0] == "mine"


def test_a_follower_that_is_up_to_date_takes_nothing_away(directory, time):
    ask(directory, "a")
    ask(directory, "b")
    for second in range(10, 20):
        time.now += 1
        ask(directory, "a", arrived=second * MB)
        assert ask(directory, "b", slow="a", arrived=second * MB - WITHHELD // 2)[0] == "a"


def test_claims_of_one_member_on_many_files(directory, time):
    def claim(peer, number):
        return directory.find(peer, (FOLDER, f"{number:064x}"), SIZE).mine

    assert [claim("greedy", number) for number in range(1000)].count(True) == MOST_CLAIMS
    assert claim("b", 999)
    assert len(directory.claims()) == MOST_CLAIMS + 1
    time.now += LEASE + 1
    assert directory.claims() == {}
    assert [claim("greedy", number) for number in range(5000, 6000)].count(True) == MOST_CLAIMS


def test_bytes_beyond_the_size_are_not_believed(directory):
    ask(directory, "a")
    directory.find("a", FILE, 10, arrived=1 << 60)
    assert directory.claims()[FILE] == ("a", 10)
    directory.find("b", FILE, 10, arrived=-5)


def test_all_is_bounded(directory, time, monkeypatch):
    monkeypatch.setattr(module, "_MOST_FILES", 100)
    directory._folders._most = directory._files._most = 50
    for number in range(1000):
        file = (FOLDER, f"{number:064x}")
        directory.find(f"p{number}", file, SIZE)
        directory.find("follower", file, SIZE)
        directory.hold(f"p{number}", [f"models--acme--{number}"])
        directory.release(f"q{number}", file, done=True)
        directory._refuse(f"p{number}", file, time.now)
    assert len(directory.claims()) == len(directory._refused) == 100
    assert len(directory._folders) == len(directory._files) == 50
    time.now += HOLD + 1  # what is old makes room
    directory.hold("new", [FOLDER])
    assert directory.holders(FOLDER) == ["new"] and len(directory._folders) == 1
    assert directory.find("new", FILE, SIZE).mine
