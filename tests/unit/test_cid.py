"""The CID of a file, computed without a node: what Kubo 0.42 and 0.43.1 gave for the same bytes and options."""

import pytest

from ipfs_accelerate_py.ipfs.cid import LEAF, CIDHash

KUBO = {
    0: "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    1: "bafkreicl6ujc6ncfktctxxroxognfn7d2fqavvrryoc2lv6m4i6hpbkfti",
    LEAF - 1: "bafkreiets737aekhaztgq2a6ouionij3ntfn6mi2izbiekndhi4xgnk23e",
    LEAF: "bafkreihopdgstu5fgrytwnxg75x2gzumrkhykgsufvpleqa4exfe4bl5ai",
    LEAF + 1: "bafybeihhpkgm2kmiazp5s2pn3nuteocuqhuyzbudsursdb36sjrh7qxdcu",
    3 * LEAF + 7: "bafybeihwefwp62jpkcywgd7he3q3goe565kvteosnogbzcgf3bsooivuj4",
}
# of zeros: more leaves than one node has links
KUBO_ZEROS = {1025 * LEAF + 5: "bafybeidkk4l55w2zb4psa6t2hchomds2n62adgcpfouhjekvez4mqzsrvq"}


@pytest.mark.parametrize("step", [1 << 20, 333_333, 5_000_000])
@pytest.mark.parametrize("size", KUBO)
def test_the_cid_that_kubo_gives(size, step):
    data, cid = b"\x01" * size, CIDHash()
    for start in range(0, size, step):
        cid.update(data[start : start + step])
    assert cid.text() == KUBO[size]


@pytest.mark.parametrize("size", KUBO_ZEROS)
def test_the_cid_of_a_file_of_two_levels(size):
    cid, block = CIDHash(), bytes(16 << 20)
    for start in range(0, size, len(block)):
        cid.update(block[: size - start])
    assert cid.text() == KUBO_ZEROS[size]
