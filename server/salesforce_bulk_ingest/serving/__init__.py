"""What both ports share: sockets, signals, who may call, and the error envelope."""
