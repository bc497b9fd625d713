"""What is written for Prometheus is read by its own parser as it was meant, whatever it says."""

import math
import re

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from ipfs_accelerate_py.agent.counts import OTHERS, Counts
from ipfs_accelerate_py.agent.status.metrics import list_metrics
from ipfs_accelerate_py.web.attention import REFUSALS, explain_refusals, find_problems
from ipfs_accelerate_py.web.exposition import Metric, write_metrics

from .test_layers import MODULES

# the parser splits lines wherever Python does; Prometheus itself only at line feeds
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))


def read(text):
    return list(text_string_to_metric_families(text))


@given(st.dictionaries(TEXTS, st.integers(0, 2**53) | st.floats(allow_nan=False)))
def test_labels_and_values(rows):
    metric = Metric("it", "gauge", "What it is.")
    for label, value in rows.items():
        metric.add(value, label=label)
    (family,) = read(write_metrics([metric]))
    assert {sample.labels["label"]: sample.value for sample in family.samples} == rows


@given(TEXTS.map(str.strip))
def test_help(text):
    (family,) = read(write_metrics([Metric("it_total", "counter", text)]))
    assert (family.documentation, family.type) == (text, "counter")


def test_numbers_that_are_none():
    metric = Metric("it", "gauge", "")
    for value in (math.inf, -math.inf, math.nan, 1e300, True):
        metric.add(value)
    assert [line.split()[1] for line in write_metrics([metric]).splitlines()[2:]] == [
        "+Inf",
        "-Inf",
        "NaN",
        "1e+300",
        "1",
    ]


def test_half_a_character_is_no_error():
    metric = Metric("it", "gauge", "\ud800")
    metric.add(1, label="\udfff")
    assert write_metrics([metric]).encode()


def report(counts=None, **more):
    facts = {"version": "1", "started": 1.5, "models": 2, "members": [], "kubo": None}
    return {
        **facts,
        **(counts or Counts()).to_dict(),
        **more,
    }


def values(document):
    return {
        (sample.name.removeprefix("ipfs_accelerate_fleet_"), *sample.labels.values()): sample.value
        for family in read(write_metrics(list_metrics(document, [])))
        for sample in family.samples
    }


def test_an_agent_with_everything():
    counts = Counts()
    counts.note_given("12D3", "whole", 5)
    counts.note_given("12D3", "arriving", 6)
    counts.note_request("GET /", 200)
    counts.note_request("GET /metrics", 200)
    counts.note_refusal("stranger")
    members = [{"there": there, "corrupt": corrupt} for there, corrupt in [(True, ""), (False, "it lied"), (False, "")]]
    kubo = {"running": True, "restarts": 3}
    found = values(report(counts, members=members, kubo=kubo, hub_wait=12.5))
    assert found["bytes_given_total", "12D3"] == 11
    assert found["requests_total", "200"] == 2
    assert found["refused_total", "stranger"] == 1
    assert (found["members", "there"], found["members", "away"], found["members_corrupt",]) == (1, 2, 1)
    names = {family.name for family in read(write_metrics(list_metrics(report(counts, kubo=kubo), [])))}
    assert all(re.fullmatch("ipfs_accelerate_fleet_[a-z_]+", name) for name in names)
    assert (found["kubo_up",], found["kubo_restarts_total",], found["hub_wait_seconds",]) == (1, 3, 12.5)
    assert (found["agent_start_time_seconds",], found["models",], found["agent_info", "1"]) == (1.5, 2, 1)


def test_labels_are_bounded_and_no_series_goes_back():
    counts, before = Counts(), {}
    for number in range(1000):
        counts.note_given(f"peer {number}", "whole", 1 + number % 7)
        counts.note_given(f"peer {number // 2}", "arriving", 3)
        if number % 50 == 0 or number == 999:
            found = {key: value for key, value in values(report(counts)).items() if key[0] == "bytes_given_total"}
            assert len(found) <= 201
            assert all(found[key] >= value for key, value in before.items())
            before = found
    assert before["bytes_given_total", OTHERS] > 0
    assert sum(before.values()) == sum(counts.given.values())


def test_every_refusal_is_explained():
    """Whatever the agent refuses has its words on the page."""
    text = "\n".join(
        path.read_text() for name, path in MODULES.items() if name.split(".")[1:2] in (["agent"], ["fleet"])
    )
    reasons = set(re.findall(r'(?:Refused|note_refusal)\(\s*"(\w+)"', text)) | {"name"}
    assert len(reasons) > 8
    assert reasons == set(REFUSALS)
    assert [row["reason"] for row in explain_refusals({"clock": 2, "busy": 2, "new one": 5})] == [
        "new one",
        "busy",
        "clock",
    ]


def test_what_is_not_well_has_its_hint():
    member = {"name": "", "peer": "12D3", "trouble": "", "corrupt": ""}
    kubo = {"running": True, "trouble": "", "restarts": 2}
    assert list(find_problems(report(members=[member], kubo=kubo), "log")) == []
    member.update(trouble="http://x does not answer", corrupt="9 bytes")
    kubo.update(running=False, trouble="it ended with exit code 1")
    rows = list(find_problems(report(members=[member], kubo=kubo, hub_wait=7.2), "/the/log"))
    assert [row["what"] for row in rows] == ["12D3", "12D3", "Kubo", "The Hub"]
    assert all(row["hint"] for row in rows) and rows[2]["hint"] == "it is started again by itself; its log is /the/log"
    kubo.update(running=True)
    (again,) = find_problems(report(kubo=kubo), "/the/log")
    assert again["hint"] == "it runs again; its log is /the/log"
    assert "7 s" in rows[3]["text"]
