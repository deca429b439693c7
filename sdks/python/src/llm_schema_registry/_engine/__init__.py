"""The client's behaviour without input or output: what to send, how long to wait, what to keep. Its clock and randomness are passed in."""
