"""The ways to log in to Salesforce, one module each."""
