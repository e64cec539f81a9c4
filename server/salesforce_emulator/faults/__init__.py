"""What goes wrong on purpose, and the journal that shows what callers did and met."""
