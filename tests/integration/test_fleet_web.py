"""The page of a fleet as people see it: in a real browser, of two machines whose agents run with Kubo.

`make picture` keeps the picture of it that the documentation shows.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ipfs_accelerate_py.fleet.client import AgentClient, blob_target
from ipfs_accelerate_py.fleet.members import Member
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.agent import peer_id
from tests.support.browser import Chromium
from tests.support.missing import need
from tests.support.named_agent import NamedMachine

from .agents import Taken

pytestmark = pytest.mark.timeout(300)
SMALL, LARGE, COMING = "sentence-transformers/all-MiniLM-L6-v2", "Qwen/Qwen2.5-0.5B-Instruct", "google/gemma-3-270m"
CONTENT = os.urandom(9_100_000)
HOSTILE = "<img src=x onerror=alert(1)>"
COMMIT, PATH, SIZE = "c" * 40, "model.safetensors", 64_000_000
LIVE = re.compile("^Live$")
# A program of the machine that downloads a file, slowly: the first argument is its store; it ends with its input.
DOWNLOAD = f"""
import sys, time, threading
from pathlib import Path
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
with Store(Path(sys.argv[1])).receive("{COMING}", Entry({SIZE}, "{"e" * 40}", "{"d" * 64}")) as writer:
    writer.write(bytes(20_000_000))
    while not ended.wait(0.2):
        if writer.size < 60_000_000:
            writer.write(bytes(500_000))
"""


@pytest.fixture(scope="module")
def chromium():
    need(Chromium)
    with Chromium() as running:
        yield running


def keep(store: Store, repo_id: str, content: bytes) -> Entry:
    """Puts a file into a repo that everybody may read."""
    entry = Entry(len(content), "e" * 40, hashlib.sha256(content).hexdigest())
    with store.receive(repo_id, entry) as writer:
        writer.write(content)
        writer.finish(store.path(layout.blob_path(repo_id, entry.etag)))
    remember_access(store, repo_id, True)
    return entry


def take(machine: NamedMachine, other: NamedMachine, repo_id: str, entry: Entry) -> None:
    """Takes a file as a program of the machine does."""
    taken = Taken()
    signer = Signer(machine.folder.read().key, machine.peer)
    target = blob_target(layout.repo_folder(repo_id), entry.etag, entry.size)
    ports = other.folder.read().ports
    AgentClient(signer, 10.0).copy(f"http://{other.address}:{ports.agent}", target, taken, entry.size, other.name)
    keep(Store(machine.store), repo_id, bytes(taken.data))


@pytest.fixture(scope="module")
def fleet(node_class, chromium, tmp_path_factory):
    """Two machines: atlas has given borealis a model, borealis has one more that is larger, and gave atlas a part."""
    folder = tmp_path_factory.mktemp("fleet")
    atlas, borealis = NamedMachine(folder / "atlas"), NamedMachine(folder / "borealis")
    try:
        atlas.init("lab", "--no-start")
        borealis.fleet("join", atlas.fleet("invite")["invitation"], "--no-start", *borealis.places())
        for machine in (atlas, borealis):
            machine.start_agent()
        borealis.sees(atlas.peer, name="atlas")
        atlas.sees(borealis.peer, name="borealis")
        take(borealis, atlas, SMALL, keep(Store(atlas.store), SMALL, CONTENT))
        take(atlas, borealis, LARGE, keep(Store(borealis.store), LARGE, CONTENT[:4_000_000]))
        keep(Store(borealis.store), LARGE, CONTENT[:8_000_000])
        yield atlas, borealis
    finally:
        borealis.stop()
        atlas.stop()


@pytest.fixture
def page(fleet, chromium):
    """`page(width=400, dark=True)`: the page of atlas, once it shows what there is.

    It writes nothing to the console, and asks nobody but this machine.
    """
    opened = []

    def show(**options):
        seen = chromium.open(fleet[0].fleet("status")["page"], **options)
        opened.append(seen)
        seen.page.get_by_role("status").filter(has_text=LIVE).wait_for()
        seen.page.get_by_role("rowheader", name=SMALL).wait_for()
        return seen

    yield show
    for seen in opened:
        said, hosts = seen.said, seen.hosts()
        seen.close()
        assert said == []
        assert hosts == {"127.0.0.1"}


@pytest.fixture
def arriving(fleet):
    """A program of atlas downloads a file."""
    store = Store(fleet[0].store)
    store.write_tree(COMING, Tree(COMMIT, {PATH: Entry(SIZE, "e" * 40, "d" * 64)}))
    process = subprocess.Popen([sys.executable, "-c", DOWNLOAD, str(fleet[0].store)], stdin=subprocess.PIPE)
    yield
    process.communicate()
    assert process.returncode == 0


def cells(page, table, row):
    """The texts of a row, by the name of the table and what is in the row."""
    found = page.get_by_role("table", name=table).get_by_role("row").filter(has_text=row)
    found.first.wait_for()
    return [re.sub(r"\n+", "\n", text.strip()) for text in found.first.inner_text().split("\t")]


def tell(machine, name, url="http://127.9.9.9:9", number=7):
    """A member of the fleet tells an agent of itself; its peer id."""
    fleet, member = machine.folder.read(), Member(peer_id(number), name, url)
    client = AgentClient(Signer(fleet.key, member.peer), 5.0)
    client.post(f"http://{machine.address}:{fleet.ports.agent}", "/fleet/1/hello", {"member": member.to_dict()})
    return member.peer


def test_what_it_shows(fleet, page, arriving):
    atlas, borealis = fleet
    seen = page()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", seen.page.url)  # the token is not in the history
    assert seen.page.title() == "lab · Fleet"
    assert seen.page.evaluate("document.cookie") == ""
    seen.page.get_by_role("rowheader", name=COMING).wait_for()
    assert "This machine is atlas" in seen.page.locator("header").inner_text()
    assert "Kubo runs" in seen.page.locator("header").inner_text()
    seen.page.get_by_text("13.1 MB", exact=True).wait_for()  # both machines have told
    seen.page.get_by_text("2 of 2", exact=True).wait_for()
    figures = seen.page.locator("dl").inner_text().split("\n")
    assert [text for text in figures if text] == [
        *("The Hub was spared", "13.1 MB"),
        *("This machine gave", "9.1 MB"),
        *("This machine took", "4.0 MB"),
        *("Machines here", "2 of 2"),
    ]
    name, gave, took = cells(seen.page, "Machines", "borealis")
    ports = borealis.folder.read().ports
    assert name.split("\n")[:2] == ["borealis", f"here · {borealis.address}:{ports.agent}"]
    assert (gave, took) == ("4.0 MB", "9.1 MB")
    assert cells(seen.page, "Machines", "atlas")[0].split("\n")[1].startswith(f"this machine · {atlas.address}:")
    assert cells(seen.page, "Models", SMALL) == [SMALL, "atlas\nborealis", "9.1 MB"]
    assert cells(seen.page, "Models", LARGE) == [LARGE, "atlas · 4.0 MB\nborealis", "12.0 MB"]
    assert cells(seen.page, "Who gave whom", "9.1 MB") == ["atlas", "borealis", "9.1 MB"]
    assert cells(seen.page, "Who gave whom", "4.0 MB") == ["borealis", "atlas", "4.0 MB"]
    assert PATH in cells(seen.page, "Arriving now", COMING)[0]


def test_what_arrives_grows_in_place(page, arriving):
    """Rows that stay are the same nodes: nothing flickers."""
    seen = page()
    seen.page.get_by_role("rowheader", name=COMING).wait_for()
    bar = seen.page.get_by_role("progressbar")
    model, row = (seen.page.locator(each).first.element_handle() for each in ("#models tr", "#arriving tr"))
    first = float(bar.get_attribute("value"))
    assert float(bar.get_attribute("max")) == SIZE
    seen.page.wait_for_function("before => document.querySelector('progress').value > before", arg=first)
    seen.page.get_by_text("B/s").wait_for()
    assert re.search(r"\d+ % of 64\.0 MB", seen.page.locator("#arriving").inner_text())
    assert model.evaluate("node => node.isConnected") and row.evaluate("node => node.isConnected")


def test_what_has_arrived_or_was_given_up_goes(page):
    seen = page()
    seen.page.get_by_text("Nothing is arriving.").wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_can_be_read(page, arriving, dark):
    """Every text has the contrast that WCAG 2.2 asks for (AA: 4.5), on its own background."""
    seen = page(dark=dark)
    seen.page.get_by_role("rowheader", name=COMING).wait_for()
    back = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(back) < 0.1) is dark
    texts = seen.page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((node) => node.checkVisibility()
            && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())).map((node) => {
          let behind = node;
          while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
          const style = getComputedStyle(node);
          return [node.textContent.trim(), style.color, getComputedStyle(behind).backgroundColor,
            style.fontVariantNumeric];
        })"""
    )
    assert len(texts) > 30
    for text, colour, behind, numbers in texts:
        low, high = sorted((luminance(colour), luminance(behind)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, colour, behind)
        assert numbers == "tabular-nums"


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    values = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_with_a_keyboard_and_a_screen_reader(fleet, page):
    seen = page()
    for table, columns in {
        "Machines": ["Machine", "Gave this one", "Took from it"],
        "Models": ["Model", "On", "Size"],
        "Who gave whom": ["Gave", "Took", "Bytes"],
    }.items():
        found = seen.page.get_by_role("table", name=table, exact=True)
        assert found.get_by_role("columnheader").all_inner_texts() == columns
    state = seen.page.get_by_role("status")
    assert state.get_attribute("aria-live") == "polite"
    assert seen.page.locator("html").get_attribute("lang") == "en"
    assert [each.inner_text() for each in seen.page.get_by_role("heading", level=1).all()] == ["lab"]


def test_the_picture_for_the_documentation(page, arriving, fleet, tmp_path):
    seen = page(width=880, height=600)
    seen.page.get_by_text("B/s").wait_for()
    picture = Path(os.environ.get("FLEET_PAGE") or tmp_path / "fleet-page.png")
    seen.page.screenshot(path=picture, full_page=True)
    assert 10_000 < picture.stat().st_size < 200_000


def test_names_that_others_gave_are_text(fleet, page):
    """A member whose name is HTML, and one whose name is long and has no place to break."""
    atlas, _ = fleet
    seen = page(width=400)
    peer, long = tell(atlas, HOSTILE), tell(atlas, "W" * 64, f"http://{'w' * 200}.invalid:9", 8)
    try:
        seen.page.get_by_role("rowheader", name=HOSTILE).wait_for()
        seen.page.get_by_role("rowheader", name="W" * 64).wait_for()
        seen.page.get_by_text(f"{HOSTILE}: ").wait_for()  # it does not answer, which is to be looked at
        assert seen.page.locator("img").count() == 0
        assert seen.page.locator("script").count() == 1
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400
    finally:
        for each, number in ((peer, 7), (long, 8)):
            forget(atlas, each, number)


def forget(machine, peer, number):
    """The member leaves."""
    fleet, member = machine.folder.read(), Member(peer)
    client = AgentClient(Signer(fleet.key, peer), 5.0)
    document = {"member": member.to_dict(), "leaving": True}
    client.post(f"http://{machine.address}:{fleet.ports.agent}", "/fleet/1/hello", document)


@pytest.mark.parametrize("width", [320, 400, 700, 1600])
def test_it_fits(page, arriving, width):
    seen = page(width=width)
    seen.page.get_by_role("rowheader", name=COMING).wait_for()
    for group in seen.page.locator("details").all():
        group.evaluate("node => { node.open = true; }")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    for node in seen.page.locator("th, td, h1, dd, .state").all():
        if node.is_visible():
            assert node.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), node.inner_text()


def test_an_agent_that_ends_and_comes_back(fleet, chromium):
    atlas, _ = fleet
    seen = chromium.open(atlas.fleet("status")["page"])
    state = seen.page.get_by_role("status")
    state.filter(has_text=LIVE).wait_for()
    seen.page.get_by_role("rowheader", name=SMALL).wait_for()
    assert not seen.page.get_by_text("does not answer any more").is_visible()
    atlas.stop_agent()
    started = time.monotonic()
    state.filter(has_text="The agent does not answer").wait_for()
    assert time.monotonic() - started < 12
    assert seen.page.get_by_text("does not answer any more").is_visible()
    assert seen.page.get_by_text("ipfs-accelerate fleet start").is_visible()
    assert seen.page.get_by_role("rowheader", name=SMALL).is_visible()  # what was known last
    assert all("ERR_CONNECTION_REFUSED" in text for text in seen.said)  # the browser's own words
    atlas.start_agent()
    state.filter(has_text=LIVE).wait_for()
    assert not seen.page.get_by_text("does not answer any more").is_visible()
    seen.close()
