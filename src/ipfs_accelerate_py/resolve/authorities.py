"""A resolution under way: the authorities are asked in the order of their precedence.

For a branch or tag: the Hub now; else the commit this machine last learnt (our store or a local cache, by the later
time); else a trusted publisher. For a commit that is known here none is asked. The Hub's deadline is the time budget
while another authority may know. A later answer of a slow Hub is kept, and counts at the next load.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from ..config.settings import Settings
from ..errors import Unresolved
from ..fleet import heed
from ..hub import client, headers, limits
from ..hub.breaker import close_hub_breaker, is_hub_breaker_open, open_hub_breaker
from ..hub.client import endpoint
from ..hub.unwell import TOO_MANY
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
from .publishers import Publishers
from .report import name_authorities

OnClosed = Callable[
    [str], object
]  # called with the id of a repo that the Hub does not show to anonymous requests. Never raises


def _refuse_unasked() -> Unresolved:
    """What the Hub would answer, as another machine of the fleet was answered."""
    refusal = Unresolved("the Hub has asked a machine of the fleet to wait", "try again later")
    refusal.status = TOO_MANY
    return refusal


class LateAnswer:
    """The Hub's answer, maybe after its deadline. Outlives the query, whose token is not kept.

    `keep`: what writes it down, where nobody has needed that yet.
    """

    answer: Resolution | None = None
    keep: Callable[[], object] | None = None


class Query:
    """A resolution under way."""

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
        self.failures: dict[str, str] = {}  # publisher -> why it gave no answer
        self.late = LateAnswer()
        self._moved_to: Resolution | None = None  # the commit that the Hub names while its long listing is under way

    def ask_all(self, fresh: bool = False) -> Resolution | None:
        """Ask every authority, by precedence. `fresh`: the Hub's deadline is at least that of plain huggingface_hub."""
        here = self.local.find()
        firm = here is not None and here.tree.is_listing and here.authority is not Authority.PUBLISHER
        if self.pinned and firm:
            return here
        client.prepare()
        asking: Future[Resolution] | None = None
        refusal: Unresolved | None = None
        limited = not fresh and heed.left(self._fleet, limits.API, self.token) > 0
        if limited:
            # As if it had been our own request.
            refusal = None if here is None else _refuse_unasked()
            get_logger().info("the Hub has asked a machine of the fleet to wait; what is known here is used")
        elif fresh or not is_hub_breaker_open():
            asking = submit(lambda: self._ask_hub(here))
            budget = self.settings.timeout * (timeouts.HUB_WARM if firm else 1.0)
            budget = max(budget, client.etag_timeout()) if fresh else budget
            if has_ended(asking, budget) or (self._moved_to and has_ended(asking, self._cold_budget())):
                try:
                    reported = asking.result()
                except Unresolved as error:
                    refusal = error
                else:
                    return reported if reported.tree.files else self._without_listing(reported, here)
            if self._moved_to is not None and (refusal is None or not refusal.answered):
                # Of this commit no file is known yet: to load another commit would be wrong.
                return self._without_listing(replace(self._moved_to, asking=None if refusal else asking), here)
            if refusal is None or not refusal.answered:
                no_hub = refusal is not None and isinstance(refusal.__cause__, ValueError)
                open_hub_breaker(refusal.unreachable if refusal else None, no_hub=no_hub)
                get_logger().info("%s", refusal or f"the Hub was silent for {self.settings.timeout:g} s")
        if refusal is not None and here is not None and (named := self._ask_file(refusal, here, firm)) is not None:
            return named
        if refusal is not None and refusal.answered:
            # Closed or unknown: its name is not sent anywhere else. What is on this disk already may be used.
            if here is None:
                raise refusal
            get_logger().warning("%s; going on with commit %s of this machine", refusal, here.commit[:12])
            closed = refusal.status is None and not refusal.about_revision  # not a bare 403, of a proxy for example
            return replace(here, public=False) if closed else here
        if firm:
            return here
        found = self._ask_publishers(here) or here
        if found is None and limited:
            if heed.is_patient():
                heed.wait(self._fleet, limits.API, self.token)
            else:
                refusal = _refuse_unasked()
        if found is None and refusal is None:
            # There is no other authority: the Hub's deadline is that of plain huggingface_hub for one answer.
            asking = asking or submit(self._ask_hub)
            if has_ended(asking, self._cold_budget()):
                try:
                    found = asking.result()
                except Unresolved as error:
                    if error.answered:
                        raise
                    refusal = error
        if found is None:
            silent = Unresolved(f"the Hub is silent, and no other authority knows {self.repo_id}@{self.revision}")
            silent.waited = self.settings.timeout + self._cold_budget() if refusal is None else 0.0
            raise name_authorities(refusal or silent, self.repo_id, self.revision, endpoint(), self.failures)
        return found if asking is None or found.tree.complete or asking.done() else replace(found, asking=asking)

    @property
    def _fleet(self) -> Path | None:
        """The store, if its machine may be in a fleet."""
        return None if self.settings.fleet == "off" else self.store.root

    def _cold_budget(self) -> float:
        """The seconds that the Hub gets where no other authority can be asked."""
        return min(client.etag_timeout(), timeouts.HUB_COLD * self.settings.timeout)

    def _ask_file(self, refusal: Unresolved, here: Resolution, firm: bool) -> Resolution | None:
        """Where the API is of no use and the files can be had, a file's header names the commit, as for plain."""
        if self.pinned or heed.left(self._fleet, limits.FILES, self.token):
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

    def _without_listing(self, reported: Resolution, here: Resolution | None) -> Resolution:
        """The Hub (a mirror, that is) named the commit, and of its files neither sizes nor hashes."""
        if here is not None and here.commit == reported.commit:
            reported = replace(here, public=reported.public)
        return reported if reported.tree.complete else self._ask_publishers(reported) or reported

    def ask_listing(self, commit: str) -> Resolution | None:
        """The Hub's listing of a commit that is settled, if the Hub answers within the time budget."""
        query = Query(self.store, self.settings, self.repo_id, commit, self.token, self.on_closed)
        asking = submit(query._ask_hub)
        try:
            return asking.result() if has_ended(asking, self.settings.timeout) else None
        except Unresolved:
            return None

    def _ask_hub(self, here: Resolution | None = None) -> Resolution:
        anonymous = not client.has_token(self.token)
        asked_at = changes.serial(self.repo_id)
        try:
            tree, public = self._ask_commit(here)
        except Unresolved as error:
            if error.answered and anonymous and not error.about_revision:
                self._note_access(False)
            raise
        return self.take_answer(tree, public, asked_at, anonymous)

    def take_answer(self, tree: Tree, public: bool, asked_at: int, anonymous: bool) -> Resolution:
        """Keep what the Hub has answered to a question of that time (`changes.serial`)."""
        leases.take(self.store, self.repo_id, tree.commit)  # before anything of it is written
        close_hub_breaker()  # it may have answered after the time that it was given
        if anonymous or not public:  # a request with a token proves nothing to the world
            self._note_access(public)
        tree = self.local.with_proven(tree)
        found = self.local.resolution(tree, Authority.HUB, public)
        if asked_at == changes.serial(self.repo_id):  # else the answer is older than what this process has written
            self.local.keep(tree)
            self.late.answer = found if tree.files else None
            changes.close(self.repo_id, self.revision, asked_at)
        return found

    def _ask_commit(self, here: Resolution | None) -> tuple[Tree, bool]:
        """The Hub's answer. Where a long listing is here already, first the commit alone is asked for."""
        asked = (self.repo_id, self.revision, self.token, client.etag_timeout())
        if here is not None and here.authority is Authority.STORE and len(here.tree.files) > client.LARGE:
            try:
                commit, public = client.ask_commit_id(*asked)
            except Unresolved as error:
                if error.answered or error.unreachable is not None:
                    raise
                # A mirror that does not take the question.
            else:
                kept = self.local.read_tree(commit)
                if kept is not None and kept.is_listing and not self.store.is_unconfirmed(self.repo_id, commit):
                    return kept, public
                moved = Tree(commit, {}, complete=False)
                self._moved_to = self.local.resolution(moved, Authority.HUB, public)
        return client.ask_commit(*asked)

    def _note_access(self, public: bool) -> None:
        remember_access(self.store, self.repo_id, public)
        if not public:
            self.on_closed(self.repo_id)

    def _ask_publishers(self, here: Resolution | None) -> Resolution | None:
        """The resolution according to a trusted publisher: of the commit of `here`, if that is by another authority."""
        commit = self.revision if self.pinned else None
        if here is not None and here.authority is not Authority.PUBLISHER:
            commit = here.commit
        idle_timeout = timeouts.IDLE if here is None else self.settings.timeout
        publishers = Publishers(self.store, self.settings, self.failures)
        found = publishers.find(self.repo_id, self.revision, commit, idle_timeout)
        return None if found is None else self._take_listing(here, *found)

    def _take_listing(self, here: Resolution | None, tree: Tree, name: str) -> Resolution:
        if here is not None and not here.tree.complete and here.commit == tree.commit:
            tree = Tree(tree.commit, {**tree.files, **here.tree.files}, tree.info)  # the Hub's own rows take precedence
        leases.take(self.store, self.repo_id, tree.commit)
        self.local.keep(tree, unconfirmed=True)
        return self.local.resolution(tree, Authority.PUBLISHER, publisher=name)
