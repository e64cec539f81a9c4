"""`make release`: whether the built wheel and sdist are whole, and work where nothing else is installed."""
