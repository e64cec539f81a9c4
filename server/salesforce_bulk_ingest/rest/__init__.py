"""`/v1`: the nine operations over HTTP."""
