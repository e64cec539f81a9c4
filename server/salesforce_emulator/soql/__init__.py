"""Queries: SOQL understood and answered from the records."""
