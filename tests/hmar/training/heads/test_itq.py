import faiss
import numpy as np
import torch

from hmar.training.heads.itq import itq


def test_itq_brings_features_nearer_to_their_signs():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(500, 16, generator=generator) * torch.linspace(3, 0.5, 16)
    rotation = itq(features, generator)
    assert torch.allclose(rotation @ rotation.T, torch.eye(16), atol=1e-4)

    def error(rotated: torch.Tensor) -> float:
        return float((rotated / rotated.norm() - rotated.sign() / rotated.sign().norm()).norm())

    assert error(features @ rotation) < error(features)


def test_the_quantisation_error_is_not_above_that_of_faiss():
    """The benchmark's peer is FAISS's, as a reference that is independent of ours."""
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(1000, 16)) * np.linspace(2, 0.5, 16)).astype(np.float32)
    features -= features.mean(axis=0)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    reference = faiss.ITQMatrix(16)
    reference.train(features)
    ours = features @ itq(torch.from_numpy(features), torch.Generator().manual_seed(0)).numpy()

    def error(rotated: np.ndarray) -> float:
        return float(np.square(np.sign(rotated) - 4 * rotated).sum(axis=1).mean())  # signs have length 4

    assert error(ours) < error(reference.apply(features)) < error(features)


def test_a_rotation_that_was_found_is_a_fixed_point():
    """Both halves of the iteration, by numpy: signs, then the orthogonal Procrustes problem."""
    features = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)
    found = itq(torch.from_numpy(features), torch.Generator().manual_seed(0)).numpy()
    left, _, right = np.linalg.svd(features.T @ np.sign(features @ found))
    np.testing.assert_allclose(found, left @ right, atol=1e-4)
