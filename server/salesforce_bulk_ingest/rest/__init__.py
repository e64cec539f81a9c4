"""The REST surface, `/v1`: the nine operations over HTTP, in Salesforce's own form."""
