"""Where rows come from, how columns are mapped, and how rows are cut into parts."""
