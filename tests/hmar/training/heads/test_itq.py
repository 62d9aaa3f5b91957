import torch

from hmar.training.heads.initial import itq


def test_itq_brings_features_nearer_to_their_signs():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(500, 16, generator=generator) * torch.linspace(3, 0.5, 16)
    rotation = itq(features, generator)
    assert torch.allclose(rotation @ rotation.T, torch.eye(16), atol=1e-4)

    def error(rotated: torch.Tensor) -> float:
        return float((rotated / rotated.norm() - rotated.sign() / rotated.sign().norm()).norm())

    assert error(features @ rotation) < error(features)
