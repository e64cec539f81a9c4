"""Queries in SOQL: their syntax, their translation to SQL, and the records that answer them."""
