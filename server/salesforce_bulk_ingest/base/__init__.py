"""Code that every package may use: the errors that this server raises, findings, shared tasks, text."""
