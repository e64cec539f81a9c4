"""The simulation: seeded plans of loads in a world that goes wrong, and what has to hold after each of them."""
