"""Rows beside the records of the org that they are for: what a load would change, and what of that looks like a mistake."""
