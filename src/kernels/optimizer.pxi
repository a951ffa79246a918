# Optimizer steps, one pass over a parameter and its state.
