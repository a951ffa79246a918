"""Making tensors."""
from row import structured

structured("from_numpy(array: any)", "A tensor that shares a NumPy array's memory.", method=False)
