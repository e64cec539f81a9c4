"""The fault matrix: whatever goes wrong, every row is where its caller was told."""
