"""solve_triangular takes a matrix for a batch of triangles; solve would take it for a batch of vectors."""

import numpy as np
import torch

import fastgrad as fg


def test_one_matrix_serves_a_batch_of_triangles():
    a = np.array([[[2.0, 0.0], [0.3, 1.0]], [[3.0, 0.0], [-0.3, 1.5]]])
    b = np.array([[1.0, 2.0], [3.0, 4.0]])
    wanted = torch.linalg.solve_triangular(torch.tensor(a), torch.tensor(b), upper=False).numpy()
    np.testing.assert_allclose(fg.linalg.solve_triangular(fg.tensor(a), fg.tensor(b), upper=False).numpy(), wanted, rtol=1e-14)
    wanted = torch.triangular_solve(torch.tensor(b), torch.tensor(a), upper=False)[0].numpy()
    np.testing.assert_allclose(fg.triangular_solve(fg.tensor(b), fg.tensor(a), upper=False)[0].numpy(), wanted, rtol=1e-14)
