# Joining, splitting, gathering, scattering.
