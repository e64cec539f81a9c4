"""`make trace`: the files and functions of the product that a call visits, in order."""
