"""What is computed from samples while a simulation runs, on the device on which it runs."""
