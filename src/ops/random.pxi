# Random numbers: the generator and its samplers.
