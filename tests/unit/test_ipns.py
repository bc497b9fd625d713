"""Signed names and hashed blocks, as a real Kubo gave them: read, and refused when anything of them was changed."""

import base64
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.ipfs.ipns import read_record
from ipfs_accelerate_py.ipfs.unixfs import BlockReader, decode_cid, decode_peer_id
from ipfs_accelerate_py.store import layout

RECORDED = json.loads((Path(__file__).parents[1] / "support" / "published_tree.json").read_text())
RECORD = base64.b64decode(RECORDED["record"])
BLOCKS = {cid: base64.b64decode(block) for cid, block in RECORDED["blocks"].items()}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)
OTHER = "12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq"


@pytest.mark.parametrize("name", ["peer_id", "ipns_name"])
def test_a_record_says_where_its_name_points(name):
    assert read_record(RECORDED[name], RECORD, NOW) == (f"/ipfs/{RECORDED['root']}", 0)


def test_of_a_changed_record_nothing_but_the_same_is_believed():
    """Some of its bytes are not signed, since only the older form of the format uses them."""
    refused = 0
    for position in range(len(RECORD)):
        changed = RECORD[:position] + bytes([RECORD[position] ^ 1]) + RECORD[position + 1 :]
        try:
            assert read_record(RECORDED["peer_id"], changed, NOW) == (f"/ipfs/{RECORDED['root']}", 0)
        except SourceError:
            refused += 1
    assert refused > 150  # the signed part is about half of it


@pytest.mark.parametrize("size", [0, 1, 100, len(RECORD) - 1])
def test_a_record_that_is_cut_off(size):
    with pytest.raises(SourceError):
        read_record(RECORDED["peer_id"], RECORD[:size], NOW)


def test_a_record_of_another_name():
    with pytest.raises(SourceError, match="signature"):
        read_record(OTHER, RECORD, NOW)


def test_a_record_that_has_ended():
    with pytest.raises(SourceError, match="no longer valid"):
        read_record(RECORDED["peer_id"], RECORD, NOW + timedelta(days=365 * 101))


@pytest.mark.parametrize("name", ["", "swarm", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "12D3Koo0OIl", "k51"])
def test_a_name_without_a_key(name):
    with pytest.raises(SourceError):
        read_record(name, RECORD, NOW)


def read(path, blocks=BLOCKS, limit=1 << 20):
    def get(cid):
        try:
            return blocks[cid]
        except KeyError:
            raise SourceError("no such block") from None

    return BlockReader(get).read(RECORDED["root"], path, limit)


def test_files_below_a_root():
    assert read(layout.ref_path("acme/model", "main")) == COMMIT.encode()
    assert read(layout.snapshot_path("acme/model", COMMIT, "sub/vocab.txt")) == b"one\ntwo\n"
    assert json.loads(read(layout.tree_path("acme/model", COMMIT)))["files"]["model.safetensors"]["size"] == 2800


@pytest.mark.parametrize("path", ["none", "models--acme--model", "models--acme--model/refs/main/below", "", "/"])
def test_paths_that_are_no_file(path):
    with pytest.raises(SourceError):
        read(path)


def test_a_file_that_is_too_large():
    with pytest.raises(SourceError, match="larger"):
        read(layout.snapshot_path("acme/model", COMMIT, "model.safetensors"), limit=2799)


@pytest.mark.parametrize("cid", BLOCKS)
def test_a_changed_block_is_refused(cid):
    for position in range(0, len(BLOCKS[cid]), 7):
        block = BLOCKS[cid]
        changed = {**BLOCKS, cid: block[:position] + bytes([block[position] ^ 1]) + block[position + 1 :]}
        refused = 0
        for path in (
            "refs/main",
            f"trees/{COMMIT}.json",
            f"snapshots/{COMMIT}/sub/vocab.txt",
            f"snapshots/{COMMIT}/config.json",
            f"snapshots/{COMMIT}/model.safetensors",
        ):
            try:
                assert read(f"models--acme--model/{path}", changed) == read(f"models--acme--model/{path}")
            except SourceError:
                refused += 1
        assert refused


@pytest.mark.parametrize("text", ["", "b", "baf", "Qm" + "0" * 44, "zzzz", "x", "b" + "a" * 500, "bafk/..", "k51é"])
def test_what_is_no_cid(text):
    with pytest.raises(ValueError):
        decode_cid(text)
    with pytest.raises(ValueError):
        decode_peer_id(text)
