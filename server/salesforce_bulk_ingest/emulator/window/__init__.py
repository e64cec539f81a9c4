"""A window into the org: pages for a browser, rendered here, that need no JavaScript."""
