"""What leaves this machine: what may, what still has to, and how it goes out."""
