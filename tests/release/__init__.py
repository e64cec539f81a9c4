"""`make release`: checks that the built wheel and sdist are complete, and work where nothing else is installed."""
