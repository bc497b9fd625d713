"""The fault matrix: every source x every fault x {cold, warm, half fetched}, also alone."""
