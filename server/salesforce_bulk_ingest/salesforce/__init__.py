"""How we speak to Salesforce: the only place that knows the wire."""
