# Elementwise operations whose entry is longer than a row: powers, divisions by mode, scaled sums.
