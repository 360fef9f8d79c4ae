"""Public tests of linear.py. The numbers come from handouts/linear.md."""

import math

import torch
from torch import nn
from torch.testing import assert_close

import linear


def tensor(values: list) -> torch.Tensor:
    """Make a float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def worked_layer() -> nn.Module:
    """Make the layer of the handout: two features in, three out."""
    layer = linear.CustomLinear(2, 3, dtype=torch.float64)
    weight = tensor([[1, 0], [2, -1], [0.5, 3]])
    layer.load_state_dict({"weight": weight, "bias": tensor([0.5, 1, -1])})
    return layer


def test_weight_and_bias_are_registered_parameters():
    layer = linear.CustomLinear(4, 3)
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    assert shapes == {"weight": (3, 4), "bias": (3,)}, (
        "CustomLinear(4, 3) registers weight (out, in) = (3, 4) and bias (3,) as nn.Parameter; "
        f"named_parameters() lists {shapes}"
    )


def test_bias_false_registers_the_name_bias_as_none():
    layer = linear.CustomLinear(4, 3, bias=False)
    assert list(layer.state_dict()) == ["weight"], (
        f"without a bias the state dict holds 'weight' alone, got {list(layer.state_dict())}"
    )
    assert layer.bias is None, f"bias=False makes layer.bias None, got {layer.bias!r}"
    assert "bias" in layer._parameters, (
        "bias=False keeps the name: register_parameter('bias', None)"
    )


def test_dtype_is_that_of_the_parameters():
    layer = linear.CustomLinear(4, 3, dtype=torch.float64)
    dtypes = {p.dtype for p in layer.parameters()}
    assert dtypes == {torch.float64}, f"dtype=torch.float64 was asked for, got {dtypes}"


def test_forward_of_one_sample_follows_the_worked_example():
    output = worked_layer()(tensor([1, 2]))
    assert output.tolist() == [1.5, 1, 5.5], (
        "rows of weight times [1, 2], plus bias: [1 + 0.5, 0 + 1, 6.5 - 1] = [1.5, 1, 5.5]; "
        f"got {output.tolist()}"
    )


def test_gradients_of_two_samples_follow_the_worked_example():
    layer = worked_layer()
    samples = tensor([[1, 2], [3, -1]]).requires_grad_()
    layer(samples).backward(tensor([[1, 2, -1], [0, 1, 1]]))

    for name in ("weight", "bias"):
        assert getattr(layer, name).grad is not None, (
            f"no gradient reached {name}: is something detached, or computed under no_grad?"
        )
    assert samples.grad.tolist() == [[4.5, -5], [2.5, 2]], (
        f"input gradient = upstream · weight = [[4.5, -5], [2.5, 2]], got {samples.grad.tolist()}"
    )
    assert layer.weight.grad.tolist() == [[1, 2], [5, 3], [2, -3]], (
        "weight gradient = upstreamᵀ · input, summed over the samples = "
        f"[[1, 2], [5, 3], [2, -3]], got {layer.weight.grad.tolist()}"
    )
    assert layer.bias.grad.tolist() == [1, 3, 0], (
        "bias gradient = upstream summed over the samples = [1, 3, 0], "
        f"got {layer.bias.grad.tolist()}"
    )


def test_output_and_gradients_equal_those_of_nn_linear():
    torch.manual_seed(0)
    stock = nn.Linear(4, 3, dtype=torch.float64)
    mine = linear.CustomLinear(4, 3, dtype=torch.float64)
    mine.load_state_dict(stock.state_dict())
    samples, upstream = torch.randn(5, 4).double(), torch.randn(5, 3).double()

    mine_out, stock_out = mine(samples), stock(samples)
    assert_close(mine_out, stock_out, msg=lambda m: f"output differs from nn.Linear's\n{m}")
    mine_out.backward(upstream)
    stock_out.backward(upstream)
    got, wanted = ({n: p.grad for n, p in layer.named_parameters()} for layer in (mine, stock))
    assert_close(got, wanted, msg=lambda m: f"a gradient differs from nn.Linear's\n{m}")


def test_leading_dimensions_are_kept():
    layer = linear.CustomLinear(4, 3)
    shape = tuple(layer(torch.zeros(2, 5, 4)).shape)
    assert shape == (2, 5, 3), (
        f"only the last dimension changes: (2, 5, 4) → (2, 5, 3), got {shape}"
    )


def test_without_bias_zero_maps_to_zero():
    output = linear.CustomLinear(4, 3, bias=False)(torch.zeros(2, 4))
    assert output.abs().max().item() == 0, f"0 · weightᵀ is 0, got {output.tolist()}"


def test_initial_values_fill_the_interval_of_one_over_root_in_features():
    torch.manual_seed(0)
    layer = linear.CustomLinear(400, 300)
    bound = 1 / math.sqrt(400)
    for name, values in layer.named_parameters():
        largest, spread = values.abs().max().item(), values.std().item()
        assert 0.9 * bound < largest <= bound * (1 + 1e-5), (
            f"{name} lies in U(±1/√400), that is ±0.05; its largest magnitude is {largest:.4f}"
        )
        assert abs(spread - bound / math.sqrt(3)) < 0.15 * bound, (
            f"a uniform {name} has a standard deviation of 0.05/√3 = 0.0289, got {spread:.4f}"
        )


def test_reset_parameters_draws_anew():
    layer = linear.CustomLinear(4, 3)
    before = layer.weight.detach().clone()
    layer.reset_parameters()
    assert not torch.equal(before, layer.weight), "reset_parameters() left the weight as it was"


def test_an_optimizer_step_changes_what_forward_computes():
    layer = worked_layer()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(tensor([1, 2])).sum().backward()
    optimizer.step()
    # upstream is [1, 1, 1]: each weight row loses 0.1·[1, 2], each bias 0.1
    assert_close(
        layer(tensor([1, 2])).detach(),
        tensor([0.9, 0.4, 4.9]),
        msg=lambda m: (
            "each output falls by 0.1·(1·1 + 2·2 + 1) = 0.6 after the step, from [1.5, 1, 5.5] to "
            f"[0.9, 0.4, 4.9]; are the weights read anew in every forward?\n{m}"
        ),
    )


def test_forward_does_without_f_linear(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("forward called F.linear (nn.Linear does too): use matrix arithmetic")

    layer = linear.CustomLinear(4, 3)
    monkeypatch.setattr(torch.nn.functional, "linear", refuse)
    layer(torch.zeros(2, 4))
