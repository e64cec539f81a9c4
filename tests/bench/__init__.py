"""`make bench`: the time and memory that the product takes on this machine, beside the least that the work could take."""
