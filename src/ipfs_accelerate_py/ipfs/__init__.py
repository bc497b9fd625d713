"""The IPFS node: its RPC, its addresses, content identifiers, and the trees that publishers keep."""
