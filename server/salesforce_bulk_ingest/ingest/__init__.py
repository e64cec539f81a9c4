"""What the product knows: the nine operations, rows in and out, results, policy."""
