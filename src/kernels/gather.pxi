# Gathering and scattering by index.
