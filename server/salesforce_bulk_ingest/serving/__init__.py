"""What every port shares: sockets, HTTP, signals, who may call, and the error envelope."""
