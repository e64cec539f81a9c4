"""Which files and functions of the product a call visits, in order: `make trace`."""
