"""What a machine knows of its fleet: the invitation, the folder with the fleet's own Kubo repo, the other members."""
