"""The client's behaviour without input or output: what to send, how long to wait, what to keep. Sockets, time and chance are given."""
