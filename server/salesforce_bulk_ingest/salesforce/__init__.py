"""The client of Salesforce: the only package that knows the paths, fields and errors of its API."""
