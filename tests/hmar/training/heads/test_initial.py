import pytest
import torch

pytest.importorskip("kan", reason="the extra 'train' is not installed")

from hmar.model.hash_head import HashHead
from hmar.model.kan import FoldedKAN
from hmar.training.heads.initial import discriminative, initialise_head
from hmar.training.heads.kan_layer import TrainableKAN


def test_discriminative_components_ignore_what_two_views_of_a_place_disagree_on():
    generator = torch.Generator().manual_seed(0)
    place = torch.randn(4000, 6, generator=generator) * torch.tensor([3.0, 3, 3, 0, 0, 0])
    first, second = (
        place + torch.randn(4000, 6, generator=generator) * torch.tensor([0.3, 0.3, 0.3, 2, 2, 2])
        for _ in range(2)
    )
    components = discriminative(first, second)
    leading = components[:, :3].square()
    assert leading[:3].sum() > 20 * leading[3:].sum()


def test_a_head_that_ends_in_its_served_form_is_not_trained():
    head = HashHead(40, 32, 16, 5, 3, FoldedKAN)
    with pytest.raises(TypeError, match="a head with a FoldedKAN cannot be trained"):
        initialise_head(head, torch.randn(9, 40), torch.randn(9, 40), torch.Generator())


def test_a_head_starts_with_codes_that_tell_places_apart():
    torch.manual_seed(0)
    head = HashHead(40, 32, 16, 5, 3, TrainableKAN)
    place = torch.randn(3000, 40)
    first, second = (place + 2 * torch.randn(3000, 40) * (torch.arange(40) >= 20) for _ in range(2))
    initialise_head(head, first, second, torch.Generator().manual_seed(0))
    with torch.no_grad():
        a, b = head(first) > 0, head(second) > 0
    same, other = (a == b).float().mean(), (a == b.roll(1, 0)).float().mean()
    assert same > 0.75
    assert other == pytest.approx(0.5, abs=0.05)
