# Making tensors from sizes and values.
