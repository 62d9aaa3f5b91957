import numpy as np
import pytest
import torch

from hmar.training.losses.functional.class_contrast import class_contrast

LABEL = torch.tensor([0, 0, 1, 1, 1, 2, 0])
SAME = LABEL[:, None] == LABEL[None]
POSITIVE = SAME & ~torch.eye(7, dtype=torch.bool)


def test_the_class_contrast_is_that_of_a_plain_loop():
    torch.manual_seed(1)
    logits = torch.randn(7, 16)
    soft = torch.nn.functional.normalize(logits.tanh(), dim=1).double()
    rows = []
    for i in range(7):
        weights = {j: float(torch.exp(soft[i] @ soft[j] / 0.2)) for j in range(7) if j != i}
        mates = [j for j in weights if LABEL[j] == LABEL[i]]
        if mates:
            rows.append(-np.mean([np.log(weights[j] / sum(weights.values())) for j in mates]))
    assert float(class_contrast(logits, POSITIVE, ~SAME, 0.2)) == pytest.approx(np.mean(rows), rel=1e-4)


def test_pairs_that_are_neither_positive_nor_negative_take_no_part():
    torch.manual_seed(1)
    logits, other = torch.randn(2, 7, 16)
    other = torch.where(torch.arange(7)[:, None] == 5, other, logits)  # differs in row 5 alone
    without = (torch.arange(7) != 5)[:, None] & (torch.arange(7) != 5)
    one, same = (class_contrast(each, POSITIVE & without, ~SAME & without, 0.2) for each in (logits, other))
    assert torch.equal(one, same)
    one, changed = (class_contrast(each, POSITIVE, ~SAME, 0.2) for each in (logits, other))
    assert not torch.equal(one, changed)


def test_rows_without_a_positive_leave_the_loss_0_and_its_gradient_finite():
    logits = torch.randn(4, 16, requires_grad=True)
    nothing = torch.zeros(4, 4, dtype=torch.bool)
    loss = class_contrast(logits, nothing, nothing, 0.2)
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())
