"""The objects of the org and their fields, standard and custom."""
