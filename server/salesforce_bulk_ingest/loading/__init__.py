"""Where rows come from, how columns are mapped, and how rows are planned and cut into parts."""
