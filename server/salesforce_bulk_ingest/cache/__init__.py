"""Files and records on this machine: downloaded results, uploads, and which upload went into which job."""
