"""The code that all ports share: sockets, HTTP, signals, who may call, and the error envelope."""
