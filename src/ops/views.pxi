# Views: geometry only; the result shares its input's storage and remembers its base.
