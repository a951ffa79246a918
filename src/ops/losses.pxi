# Loss functions: rules longer than a row.
