"""What an agent shows of itself and its fleet: to the programs of its machine, to people, to Prometheus."""
