"""How ranks learn of each other's end: a guard beside every rank, and the causes that it passes on."""
