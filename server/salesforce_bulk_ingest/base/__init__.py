"""What every room may use: the errors that this server raises, findings, shared tasks."""
