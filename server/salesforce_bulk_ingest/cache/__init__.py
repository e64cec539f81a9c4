"""What is kept on this machine: downloaded results, uploads, and the ledger of both."""
