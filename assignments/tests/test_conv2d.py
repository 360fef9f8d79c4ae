"""Public tests of conv2d.py. The numbers come from handouts/conv2d.md."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import conv2d


def picture() -> torch.Tensor:
    """Return the 1×1×3×3 input of the handout: 1 to 9, row by row."""
    return torch.arange(1, 10, dtype=torch.float64).reshape(1, 1, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "expected", "arithmetic"),
    [
        ((3, 2), 2, "⌊(3 + 0 - 1 - 1) / 1⌋ + 1"),
        ((28, 3, 1, 1), 28, "⌊(28 + 2 - 2 - 1) / 1⌋ + 1"),
        ((8, 3, 2), 3, "⌊(8 + 0 - 2 - 1) / 2⌋ + 1 = ⌊2.5⌋ + 1"),
        ((7, 3, 1, 0, 2), 3, "⌊(7 + 0 - 4 - 1) / 1⌋ + 1"),
    ],
)
def test_output_size_counts_the_windows_that_fit(arguments, expected, arithmetic):
    size = conv2d.output_size(*arguments)
    assert isinstance(size, int), f"output_size returns an int, got {type(size).__name__}"
    assert size == expected, f"output_size{arguments} = {arithmetic} = {expected}, got {size}"


def test_im2col_of_the_worked_example_has_one_window_per_column():
    columns = conv2d.im2col(picture(), 2)
    expected = [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    assert tuple(columns.shape) == (1, 4, 4), (
        f"(N, C·KH·KW, L) = (1, 1·2·2, 2·2) = (1, 4, 4), got {tuple(columns.shape)}"
    )
    assert columns[0].tolist() == expected, f"expected {expected}, got {columns[0].tolist()}"


def test_im2col_rows_are_taps_and_columns_are_windows():
    columns = conv2d.im2col(picture(), (2, 3))
    expected = [[1, 4], [2, 5], [3, 6], [4, 7], [5, 8], [6, 9]]
    assert tuple(columns.shape) == (1, 6, 2), (
        f"a 2×3 kernel has 6 taps and fits 2 times: (1, 6, 2), got {tuple(columns.shape)}"
    )
    assert columns[0].tolist() == expected, (
        f"row k holds what tap k sees in each window: {expected}, got {columns[0].tolist()}"
    )


def test_im2col_puts_the_taps_of_one_channel_next_to_each_other():
    two_channels = torch.cat([picture(), 10 * picture()], dim=1)
    columns = conv2d.im2col(two_channels, 2)
    first_window = columns[0, :, 0].tolist()
    assert first_window == [1, 2, 4, 5, 10, 20, 40, 50], (
        "channel 0 comes first with all its taps, then channel 1: "
        f"[1, 2, 4, 5, 10, 20, 40, 50]; got {first_window}"
    )


def test_im2col_equals_f_unfold():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    assert_close(
        conv2d.im2col(images, 3, stride=2, padding=1),
        nn.functional.unfold(images, 3, stride=2, padding=1),
        msg=lambda m: f"im2col(images, 3, stride=2, padding=1) differs from F.unfold's\n{m}",
    )


def test_weight_and_bias_are_registered_parameters():
    layer = conv2d.CustomConv2d(3, 8, kernel_size=(2, 5))
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    assert shapes == {"weight": (8, 3, 2, 5), "bias": (8,)}, (
        "weight is (out_channels, in_channels, KH, KW) = (8, 3, 2, 5), bias (8,); "
        f"named_parameters() lists {shapes}"
    )


def test_bias_false_registers_the_name_bias_as_none():
    layer = conv2d.CustomConv2d(3, 8, 3, bias=False)
    assert list(layer.state_dict()) == ["weight"], (
        f"without a bias the state dict holds 'weight' alone, got {list(layer.state_dict())}"
    )
    assert layer.bias is None, f"bias=False makes layer.bias None, got {layer.bias!r}"
    assert "bias" in layer._parameters, (
        "bias=False keeps the name: register_parameter('bias', None)"
    )


@pytest.mark.parametrize("method", ["forward_im2col", "forward"])
def test_output_follows_the_worked_example(method):
    layer = conv2d.CustomConv2d(1, 1, 2, dtype=torch.float64)
    kernel = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.float64)
    layer.load_state_dict({"weight": kernel, "bias": torch.tensor([0.5], dtype=torch.float64)})
    output = getattr(layer, method)(picture())
    assert tuple(output.shape) == (1, 1, 2, 2), f"expected 1×1×2×2, got {tuple(output.shape)}"
    assert output[0, 0].tolist() == [[37.5, 47.5], [67.5, 77.5]], (
        "the first window gives 1·1 + 2·2 + 3·4 + 4·5 + 0.5 = 37.5 and all four "
        "[[37.5, 47.5], [67.5, 77.5]] (a flipped kernel would begin with 23.5); "
        f"got {output[0, 0].tolist()}"
    )


@pytest.mark.parametrize("options", [{"padding": 1}, {"stride": 2, "bias": False}], ids=str)
def test_output_and_gradients_equal_those_of_nn_conv2d(options):
    torch.manual_seed(0)
    stock = nn.Conv2d(3, 4, 3, dtype=torch.float64, **options)
    mine = conv2d.CustomConv2d(3, 4, 3, dtype=torch.float64, **options)
    mine.load_state_dict(stock.state_dict())
    images = torch.randn(2, 3, 7, 7, dtype=torch.float64)

    mine_input, stock_input = images.clone().requires_grad_(), images.clone().requires_grad_()
    mine_out, stock_out = mine(mine_input), stock(stock_input)
    assert_close(mine_out, stock_out, msg=lambda m: f"output differs from nn.Conv2d's\n{m}")

    upstream = torch.randn_like(stock_out)
    mine_out.backward(upstream)
    stock_out.backward(upstream)
    got = {"input": mine_input.grad} | {n: p.grad for n, p in mine.named_parameters()}
    wanted = {"input": stock_input.grad} | {n: p.grad for n, p in stock.named_parameters()}
    assert_close(got, wanted, msg=lambda m: f"a gradient differs from nn.Conv2d's\n{m}")


def test_one_number_means_the_same_for_both_axes():
    one = conv2d.CustomConv2d(2, 3, 3, stride=2, padding=1)
    two = conv2d.CustomConv2d(2, 3, (3, 3), stride=(2, 2), padding=(1, 1))
    two.load_state_dict(one.state_dict())
    images = torch.ones(1, 2, 8, 8)
    assert_close(
        one(images), two(images), msg=lambda m: f"3, 2, 1 and (3, 3), (2, 2), (1, 1) differ\n{m}"
    )


def test_initial_values_fill_the_interval_of_one_over_root_fan_in():
    torch.manual_seed(0)
    layer = conv2d.CustomConv2d(32, 64, 3)
    bound = 1 / math.sqrt(32 * 3 * 3)
    for name, values in layer.named_parameters():
        largest, spread = values.abs().max().item(), values.std().item()
        assert 0.8 * bound < largest <= bound * (1 + 1e-5), (
            f"{name} lies in U(±1/√fan_in), fan_in = 32·3·3 = 288, that is ±0.0589; "
            f"its largest magnitude is {largest:.4f}"
        )
        assert abs(spread - bound / math.sqrt(3)) < 0.2 * bound, (
            f"a uniform {name} has a standard deviation of 0.0589/√3 = 0.0340, got {spread:.4f}"
        )


def test_the_hand_made_path_does_without_convolution_and_unfold(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("F.conv2d or F.unfold was called: gather the windows by hand")

    layer = conv2d.CustomConv2d(2, 3, 3)
    monkeypatch.setattr(nn.functional, "conv2d", refuse)
    monkeypatch.setattr(nn.functional, "unfold", refuse)
    layer.forward_im2col(torch.zeros(1, 2, 5, 5))
    layer(torch.zeros(1, 2, 5, 5))
