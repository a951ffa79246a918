"""Joining, splitting, gathering, scattering: elements move, none is computed."""
