"""`make bench`: what the gateway costs in time and memory beside nginx and beside no proxy, on this machine."""
