"""How ranks learn why another one ended: a guard in every rank, and the causes that it passes on."""
