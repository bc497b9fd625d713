"""One resolution under way: each authority that may know is asked, in the order in which they count.

For a branch or tag: the Hub now; else the commit this machine last learnt (our store or a lower tier, the later one);
else a trusted publisher. For a commit that is known here nobody is asked. The Hub is given no longer than the time
budget while anybody else can say. What a slow Hub says after that is kept, and counts at the next load.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from ..config.settings import Settings
from ..errors import Unresolved
from ..hub import client, headers
from ..hub.breaker import close_hub_breaker, is_hub_breaker_open, open_hub_breaker
from ..hub.client import endpoint
from ..log import get_logger
from ..net import timeouts
from ..net.futures import has_ended, submit
from ..store import layout, leases
from ..store.resolution import Authority, Resolution
from ..store.store import Store
from ..store.tree import Tree
from ..store.visibility import remember_access
from . import changes
from .local import LocalAuthority
from .publishers import PublisherWords
from .report import name_authorities

OnClosed = Callable[[str], object]  # called with the id of a repo that the Hub does not show to everybody. Never raises


class LateAnswer:
    """What the Hub has said, maybe after the time that it was given. Outlives the query, whose token is not kept."""

    told: Resolution | None = None


class Query:
    """One resolution under way."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        repo_id: str,
        revision: str,
        token: str | bool | None,
        on_closed: OnClosed,
    ) -> None:
        self.store, self.settings = store, settings
        self.repo_id, self.revision, self.token = repo_id, revision, token
        self.on_closed = on_closed
        self.pinned = layout.is_commit(revision)
        self.local = LocalAuthority(store, settings, repo_id, revision)
        self.said: dict[str, str] = {}  # by publishers that could not say
        self.late = LateAnswer()

    def ask_all(self, fresh: bool = False) -> Resolution | None:
        """Every authority, in the order in which they count. `fresh`: the Hub has the time that plain gives it."""
        here = self.local.find()
        firm = here is not None and here.tree.complete and here.authority is not Authority.PUBLISHER
        if self.pinned and firm:
            return here
        client.prepare()
        asking: Future[Resolution] | None = None
        refusal: Unresolved | None = None
        if fresh or not is_hub_breaker_open():
            asking = submit(self._ask_hub)
            budget = self.settings.timeout * (timeouts.HUB_WARM if firm else 1.0)
            if has_ended(asking, max(budget, client.etag_timeout()) if fresh else budget):
                try:
                    told = asking.result()
                except Unresolved as error:
                    refusal = error
                else:
                    return told if told.tree.files else self._without_listing(told, here)
            if refusal is None or not refusal.answered:
                no_hub = refusal is not None and isinstance(refusal.__cause__, ValueError)
                open_hub_breaker(refusal.unreachable if refusal else None, no_hub=no_hub)
                get_logger().info("%s", refusal or f"the Hub was silent for {self.settings.timeout:g} s")
        if refusal is not None and here is not None and (named := self._ask_file(refusal, here, firm)) is not None:
            return named
        if refusal is not None and refusal.answered:
            # Closed or unknown: its name is not sent to anybody else. What is on this disk already may be used.
            if here is None:
                raise refusal
            get_logger().warning("%s; going on with commit %s of this machine", refusal, here.commit[:12])
            return here
        if firm:
            return here
        found = self._ask_publishers(here) or here
        if found is None and refusal is None:
            # Nobody else can say: the Hub is given what plain huggingface_hub gives it for one answer.
            asking = asking or submit(self._ask_hub)
            if has_ended(asking, min(client.etag_timeout(), timeouts.HUB_COLD * self.settings.timeout)):
                try:
                    found = asking.result()
                except Unresolved as error:
                    if error.answered:
                        raise
                    refusal = error
        if found is None:
            silent = Unresolved(f"the Hub is silent, and nobody else knows {self.repo_id}@{self.revision}")
            silent.waited = refusal is None
            raise name_authorities(refusal or silent, self.repo_id, self.revision, endpoint(), self.said)
        return found if asking is None or found.tree.complete or asking.done() else replace(found, asking=asking)

    def _ask_file(self, refusal: Unresolved, here: Resolution, firm: bool) -> Resolution | None:
        """Where the API is of no use and the files can be had, a file's header names the commit, as plain hears it."""
        if self.pinned:
            return None
        if refusal.unreachable is not None:  # down: the commit that is known counts, as in plain transformers 5
            only_its_api = refusal.status is not None and client.asks_files_by_branch()
            if firm or not only_its_api:
                return None
        path = next((path for path in ("config.json", *here.tree.files) if path in here.tree), "config.json")
        deadline = self.settings.timeout
        asking = submit(lambda: headers.ask_file_commit(self.repo_id, self.revision, path, self.token, deadline))
        commit = asking.result() if has_ended(asking, deadline) else None
        if commit is None:
            return None
        close_hub_breaker()
        if commit == here.commit:
            return here
        return self.local.resolution(self.local.read_tree(commit) or Tree(commit, {}, complete=False), Authority.HUB)

    def _without_listing(self, told: Resolution, here: Resolution | None) -> Resolution:
        """The Hub (a mirror, that is) named the commit, and of its files neither sizes nor hashes."""
        if here is not None and here.commit == told.commit:
            told = replace(here, public=told.public)
        return told if told.tree.complete else self._ask_publishers(told) or told

    def ask_listing(self, commit: str) -> Resolution | None:
        """What the Hub says of a commit that is settled, if it says so now."""
        query = Query(self.store, self.settings, self.repo_id, commit, self.token, self.on_closed)
        asking = submit(query._ask_hub)
        try:
            return asking.result() if has_ended(asking, self.settings.timeout) else None
        except Unresolved:
            return None

    def _ask_hub(self) -> Resolution:
        anonymous = not client.has_token(self.token)
        asked_at = changes.serial(self.repo_id)
        try:
            tree, public = client.ask_commit(self.repo_id, self.revision, self.token, client.etag_timeout())
        except Unresolved as error:
            if error.answered and anonymous and not error.about_revision:
                self._note_access(False)
            raise
        leases.take(self.store, self.repo_id, tree.commit)  # before anything of it is written
        close_hub_breaker()  # it may have answered after the time that it was given
        if anonymous or not public:  # a request with a token proves nothing to the world
            self._note_access(public)
        tree = self.local.with_proven(tree)
        found = self.local.resolution(tree, Authority.HUB, public)
        if asked_at == changes.serial(self.repo_id):  # else the answer is older than what this process has written
            self.local.keep(tree)
            self.late.told = found if tree.files else None
            changes.close(self.repo_id, self.revision, asked_at)
        return found

    def _note_access(self, public: bool) -> None:
        remember_access(self.store, self.repo_id, public)
        if not public:
            self.on_closed(self.repo_id)

    def _ask_publishers(self, here: Resolution | None) -> Resolution | None:
        """A trusted publisher's word on what the Hub has not told this machine."""
        commit = self.revision if self.pinned else None
        if here is not None and here.authority is not Authority.PUBLISHER:
            commit = here.commit
        idle_timeout = timeouts.IDLE if here is None else self.settings.timeout
        publishers = PublisherWords(self.store, self.settings, self.said)
        found = publishers.find(self.repo_id, self.revision, commit, idle_timeout)
        return None if found is None else self._take_word(here, *found)

    def _take_word(self, here: Resolution | None, tree: Tree, name: str) -> Resolution:
        if here is not None and not here.tree.complete and here.commit == tree.commit:
            tree = Tree(tree.commit, {**tree.files, **here.tree.files}, tree.info)  # the Hub's own words stand
        leases.take(self.store, self.repo_id, tree.commit)
        self.local.keep(tree, unconfirmed=True)
        return self.local.resolution(tree, Authority.PUBLISHER, publisher=name)
