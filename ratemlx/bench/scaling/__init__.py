"""How run time scales with the number of MPI processes: strong scaling (the same sweep) and weak (a larger one)."""
