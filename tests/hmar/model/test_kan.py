import pytest
import torch

from hmar.model.kan import spline_basis

kan_layer = pytest.importorskip("hmar.training.heads.kan_layer", reason="the extra 'train' is not installed")


def trained_like(inputs: int = 24, outputs: int = 16) -> "kan_layer.TrainableKAN":
    torch.manual_seed(0)
    layer = kan_layer.TrainableKAN(inputs, outputs, 5, 3)
    with torch.no_grad():
        for parameter in (layer.layer.scale_base, layer.layer.scale_sp, layer.layer.coef):
            parameter.add_(torch.randn_like(parameter))
        layer.layer.mask[0, :3] = 0
    return layer


def inputs_in_and_out_of_the_grid() -> torch.Tensor:
    return torch.randn(200, 24, generator=torch.Generator().manual_seed(1)) * 2.5


def test_the_folded_form_gives_pykans_values_and_bits():
    layer, x = trained_like(), inputs_in_and_out_of_the_grid()
    expected = layer.layer(x)[0]
    for form in (layer, layer.fold()):
        assert torch.allclose(form(x), expected, atol=2e-5)
        decided = expected.abs() > 1e-4
        assert torch.equal((form(x) > 0)[decided], (expected > 0)[decided])


def test_the_folded_form_gives_pykans_gradients():
    layer, x = trained_like(), inputs_in_and_out_of_the_grid()
    weight = torch.randn(200, 16)
    gradients = []
    for forward in (lambda: layer.layer(x)[0], lambda: layer(x)):
        layer.zero_grad()
        (forward() * weight).sum().backward()
        named = {name: p.grad.clone() for name, p in layer.named_parameters() if p.grad is not None}
        gradients.append(named)
    assert gradients[0].keys() == gradients[1].keys()
    for name, expected in gradients[0].items():
        assert torch.allclose(gradients[1][name], expected, rtol=1e-3, atol=1e-3), name


def test_the_basis_sums_to_one_on_the_grid_and_is_zero_outside_its_extension():
    knots = torch.arange(-5.0, 6.0)[None]  # 11 knots: grid from -2 to 2 and three to either side
    basis = spline_basis(torch.linspace(-2, 1.99, 50)[:, None], knots, 3)
    assert basis.shape == (50, 1, 7)
    assert torch.allclose(basis.sum(dim=2), torch.ones(50, 1), atol=1e-6)
    assert not spline_basis(torch.tensor([[-5.1], [5.1]]), knots, 3).any()


def test_a_kan_layer_can_start_as_a_linear_map():
    layer, weight = trained_like(), torch.randn(24, 16)
    layer.layer.mask.fill_(1)
    layer.set_linear(weight)
    x = torch.rand(100, 24) * 3.6 - 1.8
    assert torch.allclose(layer(x), x @ weight, atol=0.05)
