"""Public tests of conv2d.py. The numbers come from handouts/conv2d.md."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from tower_student.language import tr

import conv2d


def backward(output: torch.Tensor, upstream: torch.Tensor) -> None:
    """Do what output.backward(upstream) does, without its half second of imports the first time."""
    (output * upstream).sum().backward()


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
    """How many windows fit along one axis, as an int.

    Hint: Draw the case of size 8, kernel 3, stride 2: the windows begin at pixels 0, 2 and 4. Which
    pixels would a fourth one need, and which is the last pixel there is?
    Hint: A float: `/` gives one even where nothing is left over. 4 in place of 3: rounded up. 27 in
    place of 28: padding counted on one side only. 5 in place of 3: dilation left out.
    Hint: A dilated kernel spans dilation·(kernel_size - 1) + 1 pixels, and padding adds pixels at
    both ends. Only the bracket is divided by the stride, by an integer division that rounds down;
    the + 1 comes after it.
    Hint: Buses leave every 20 minutes from minute 10 to minute 55: `(55 - 10) // 20 + 1` is 3, at
    10, 30 and 50. Between ints, `//` rounds down and gives an int.
    """
    size = conv2d.output_size(*arguments)
    assert isinstance(size, int), tr(
        "output_size returns an int, got {kind}", kind=type(size).__name__
    )
    assert size == expected, tr(
        "output_size{arguments} = {arithmetic} = {expected}, got {got}",
        arguments=arguments,
        arithmetic=arithmetic,
        expected=expected,
        got=size,
    )


def test_im2col_of_the_worked_example_has_one_window_per_column():
    """A 2×2 kernel on the 3×3 picture: four windows, each a column of four numbers.

    Hint: Draw the four windows in reading order and write each as a column: the first is 1, 2, 4,
    5. Then print columns.shape.
    Hint: Two windows fit along each axis, 2·2 = 4 in all. A shape with more than three axes still
    has its windows unflattened; a shape (4, 4) has lost the batch axis. Read your matrix row by
    row: what does the upper left tap see as the window slides?
    Hint: Tap (i, j) sees a slice of the picture: as many rows from row i on, and as many columns
    from column j on, as there are windows along that axis. Flattened, it is one row of the result;
    the taps come in reading order.
    Hint: The same in one dimension, with windows of 2 on `x = torch.arange(5)`: `torch.stack([x[i :
    i + 4] for i in range(2)])` is [[0, 1, 2, 3], [1, 2, 3, 4]], one row per tap, one column per
    window.
    """
    columns = conv2d.im2col(picture(), 2)
    expected = [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    assert tuple(columns.shape) == (1, 4, 4), tr(
        "(N, C·KH·KW, L) = (1, 1·2·2, 2·2) = (1, 4, 4), got {shape}", shape=tuple(columns.shape)
    )
    assert columns[0].tolist() == expected, tr(
        "expected {expected}, got {got}", expected=expected, got=columns[0].tolist()
    )


def test_im2col_rows_are_taps_and_columns_are_windows():
    """A 2×3 kernel on the 3×3 picture: six rows, one per tap, and two columns.

    Hint: Draw a kernel 2 high and 3 wide on the picture. It fits once across and twice down. What
    does its upper left tap see at each position?
    Hint: Shape (1, 2, 6): taps and windows are exchanged. Rows [1, 2], [2, 3]: the kernel was taken
    as 3 high and 2 wide. Rows [1, 2], [3, 4]: the shape was mended by a reshape.
    Hint: The axis of the taps stands in front of the axis of the windows. If you gather window
    after window you have them the other way round; the two axes then have to be exchanged, since
    reshape refolds the numbers without moving any.
    Hint: Exchanging two axes is not reshaping: with `x = torch.tensor([[1, 2, 3], [4, 5, 6]])`,
    `x.permute(1, 0)` is [[1, 4], [2, 5], [3, 6]], and `x.reshape(3, 2)` is [[1, 2], [3, 4], [5,
    6]].
    """
    columns = conv2d.im2col(picture(), (2, 3))
    expected = [[1, 4], [2, 5], [3, 6], [4, 7], [5, 8], [6, 9]]
    assert tuple(columns.shape) == (1, 6, 2), tr(
        "a 2×3 kernel has 6 taps and fits 2 times: (1, 6, 2), got {shape}",
        shape=tuple(columns.shape),
    )
    assert columns[0].tolist() == expected, tr(
        "row k holds what tap k sees in each window: {expected}, got {got}",
        expected=expected,
        got=columns[0].tolist(),
    )


def test_im2col_puts_the_taps_of_one_channel_next_to_each_other():
    """Two channels: all taps of channel 0 come first, then all of channel 1.

    Hint: Print columns[0, :, 0]. Does it begin 1, 10, 2, 20? Or has it four numbers only?
    Hint: 1, 10, 2, 20 is the order tap, then channel. Wanted is channel, then kernel row, then
    kernel column. Print the shape just before you flatten: which axis stands in front, channel or
    tap?
    Hint: torch.cat along the channel axis puts tap after tap, with both channels in each. If the
    taps get an axis of their own, right behind the channel axis, flattening the two gives the
    wanted order.
    Hint: Two shops sell 1 and 10 cakes on Monday, 2 and 20 on Tuesday.
    `torch.stack([torch.tensor([1, 10]), torch.tensor([2, 20])], dim=1).flatten()` is [1, 2, 10,
    20], shop by shop; torch.cat of the same gives [1, 10, 2, 20], day by day.
    """
    two_channels = torch.cat([picture(), 10 * picture()], dim=1)
    columns = conv2d.im2col(two_channels, 2)
    first_window = columns[0, :, 0].tolist()
    assert first_window == [1, 2, 4, 5, 10, 20, 40, 50], tr(
        "channel 0 comes first with all its taps, then channel 1: "
        "[1, 2, 4, 5, 10, 20, 40, 50]; got {first_window}",
        first_window=first_window,
    )


def test_im2col_equals_f_unfold():
    """Stride and padding have the same effect on im2col as on F.unfold.

    Hint: Print both shapes. Two images of 3 channels and 6×6, with stride 2 and padding 1, give
    (2, 27, 9): 3·3·3 rows, 3·3 windows.
    Hint: 36 windows: the stride is ignored. 4 windows: the padding is. The right shape with wrong
    values: look at column 0, whose window begins in the padding. Its first kernel row is 0, and so
    is the first number of the other two. Only image 0 is right: the batch got lost.
    Hint: Pad with zeros on all four sides before any window is gathered. The numbers that tap
    (i, j) sees then begin at row i and column j of the padded picture and follow one another at a
    distance of stride, along both axes.
    Hint: In one dimension: `p = F.pad(torch.arange(1, 6), (1, 1))` is [0, 1, 2, 3, 4, 5, 0]. Three
    windows of 3 with stride 2 begin at 0, 2 and 4, and `p[1:6:2]`, which is [1, 3, 5], is what tap
    1 sees in them.
    """
    torch.manual_seed(0)
    images = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    assert_close(
        conv2d.im2col(images, 3, stride=2, padding=1),
        nn.functional.unfold(images, 3, stride=2, padding=1),
        msg=lambda m: tr(
            "im2col(images, 3, stride=2, padding=1) differs from F.unfold's\n{m}", m=m
        ),
    )


def test_weight_and_bias_are_registered_parameters():
    """A layer from 3 to 8 channels with a 2×5 kernel lists weight (8, 3, 2, 5) and bias (8,).

    Hint: Print the names and shapes in layer.named_parameters(). Is something missing, called
    differently, or of another shape?
    Hint: (3, 8, 2, 5): in and out exchanged. (8, 3, 5, 2): vertical and horizontal exchanged.
    (8, 3, 2, 2) or (8, 3, 5, 5): one number of the pair used twice. An empty list: plain tensors
    are no parameters.
    Hint: Each is an nn.Parameter, assigned to self. weight holds one filter per output channel,
    each as deep as the input has channels, then height, then width: the two numbers of the pair in
    their order. bias has one number per output channel.
    Hint: A layer that adds a picture of its own to every image, with size = (28, 20), has
    `self.picture = nn.Parameter(torch.zeros(1, *size))`. named_parameters() then lists picture, of
    shape (1, 28, 20).
    """
    layer = conv2d.CustomConv2d(3, 8, kernel_size=(2, 5))
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    assert shapes == {"weight": (8, 3, 2, 5), "bias": (8,)}, tr(
        "weight is (out_channels, in_channels, KH, KW) = (8, 3, 2, 5), bias (8,); "
        "named_parameters() lists {shapes}",
        shapes=shapes,
    )


def test_bias_false_registers_the_name_bias_as_none():
    """With bias=False there is no bias, but its name stays registered.

    Hint: Print layer.bias, layer.state_dict() and layer._parameters. Does the constructor get to
    its end, or does reset_parameters stumble over a bias of None?
    Hint: 'bias' in the state dict: the argument was ignored. layer.bias is False: the argument
    itself was stored. Only the last line fails: `self.bias = None` makes an ordinary attribute.
    Hint: nn.Module has a method that enters a parameter under a name given as a string, and it
    takes None for a value too, and then lists no parameter under it.
    Hint: For a submodule that may be left out there is `self.register_module("pool", None)`:
    self.pool is None, yet self._modules lists pool. Parameters have a method of the same kind.
    """
    layer = conv2d.CustomConv2d(3, 8, 3, bias=False)
    assert list(layer.state_dict()) == ["weight"], tr(
        "without a bias the state dict holds 'weight' alone, got {names}",
        names=list(layer.state_dict()),
    )
    assert layer.bias is None, tr("bias=False makes layer.bias None, got {bias!r}", bias=layer.bias)
    assert "bias" in layer._parameters, tr(
        "bias=False keeps the name: register_parameter('bias', None)"
    )


@pytest.mark.parametrize("method", ["forward_im2col", "forward"])
def test_output_follows_the_worked_example(method):
    """A 2×2 kernel and a bias of 0.5 on the 3×3 picture, by either method.

    Hint: Lay the kernel [[1, 2], [3, 4]] on the first window [[1, 2], [4, 5]]. Multiply what lies
    on each other, and add up.
    Hint: A first number of 23.5: the kernel is flipped. 35.5: it is transposed. 37: the bias is
    missing. Shape (1, 1, 4): the windows are not folded back into rows and columns. If forward
    alone fails, see which path it takes on the CPU.
    Hint: Flatten each filter into a row, in the order in which im2col lists the taps: channel,
    kernel row, kernel column. Rows times columns gives (N, out_channels, L), then bias is added per
    channel and L is folded to output height and width.
    Hint: Two prices as a row, four baskets as columns, a fee of 9, then a 2×2 table:
    `(torch.tensor([[2, 1]]) @ torch.tensor([[1, 0, 3, 5], [0, 1, 1, 2]]) + 9).reshape(2, 2)` is
    [[11, 10], [16, 21]].
    """
    layer = conv2d.CustomConv2d(1, 1, 2, dtype=torch.float64)
    kernel = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.float64)
    layer.load_state_dict({"weight": kernel, "bias": torch.tensor([0.5], dtype=torch.float64)})
    output = getattr(layer, method)(picture())
    assert tuple(output.shape) == (1, 1, 2, 2), tr(
        "expected 1×1×2×2, got {shape}", shape=tuple(output.shape)
    )
    assert output[0, 0].tolist() == [[37.5, 47.5], [67.5, 77.5]], tr(
        "the first window gives 1·1 + 2·2 + 3·4 + 4·5 + 0.5 = 37.5 and all four "
        "[[37.5, 47.5], [67.5, 77.5]] (a flipped kernel would begin with 23.5); "
        "got {got}",
        got=output[0, 0].tolist(),
    )


@pytest.mark.parametrize("options", [{"padding": 1}, {"stride": 2, "bias": False}], ids=str)
def test_output_and_gradients_equal_those_of_nn_conv2d(options):
    """With the weights of an nn.Conv2d, outputs and gradients are nn.Conv2d's.

    Hint: See which case fails, padding or stride without bias, and whether at the output or at the
    gradients. Print both output shapes: (2, 4, 7, 7) with padding 1, (2, 4, 3, 3) with stride 2.
    Hint: Only the border is wrong: the padding. A TypeError about NoneType: a bias of None was
    added. A constant difference within a channel: that channel's bias. Right for image 0 only: the
    batch got lost. A gradient of None: .data, .detach() or numpy on the way.
    Hint: (4, 27) @ (2, 27, L) gives (2, 4, L) with the batch already in front, so nothing has to be
    reordered. The bias has to meet the channel axis, hence shape (4, 1), not (4,). If the batch
    sits in another axis, permute before you reshape.
    Hint: One number per image: `torch.zeros(2, 3, 4, 4) + torch.tensor([1, 2]).reshape(2, 1, 1, 1)`
    adds 1 to all of image 0 and 2 to all of image 1, since axes of size 1 are repeated. Shape (2,)
    would meet the last axis and raise.
    """
    torch.manual_seed(0)
    stock = nn.Conv2d(3, 4, 3, dtype=torch.float64, **options)
    mine = conv2d.CustomConv2d(3, 4, 3, dtype=torch.float64, **options)
    mine.load_state_dict(stock.state_dict())
    images = torch.randn(2, 3, 7, 7, dtype=torch.float64)

    mine_input, stock_input = images.clone().requires_grad_(), images.clone().requires_grad_()
    mine_out, stock_out = mine(mine_input), stock(stock_input)
    assert_close(mine_out, stock_out, msg=lambda m: tr("output differs from nn.Conv2d's\n{m}", m=m))

    upstream = torch.randn_like(stock_out)
    backward(mine_out, upstream)
    backward(stock_out, upstream)
    got = {"input": mine_input.grad} | {n: p.grad for n, p in mine.named_parameters()}
    wanted = {"input": stock_input.grad} | {n: p.grad for n, p in stock.named_parameters()}
    assert_close(got, wanted, msg=lambda m: tr("a gradient differs from nn.Conv2d's\n{m}", m=m))


def test_one_number_means_the_same_for_both_axes():
    """3, 2, 1 and (3, 3), (2, 2), (1, 1) make layers that compute the same.

    Hint: See which of the two layers raises, and on which line. "int object is not subscriptable"
    is about the single number; arithmetic with a tuple is about the pair.
    Hint: The skeleton has a function `pair`; print pair(2) and pair((2, 2)). Which of kernel_size,
    stride, padding and dilation go through it in your code?
    Hint: Turn all four into pairs before anything else uses them, in the constructor and in im2col,
    which is also called by itself. From there on the first number belongs to the rows and the
    second to the columns; output_size is asked once per axis.
    Hint: A function that crops an image to a size, one number or two, begins with `rows, columns =
    pair(size)` and goes on with `image[:rows, :columns]`. After the first line nothing asks which
    it was.
    """
    one = conv2d.CustomConv2d(2, 3, 3, stride=2, padding=1)
    two = conv2d.CustomConv2d(2, 3, (3, 3), stride=(2, 2), padding=(1, 1))
    two.load_state_dict(one.state_dict())
    images = torch.ones(1, 2, 8, 8)
    assert_close(
        one(images),
        two(images),
        msg=lambda m: tr("3, 2, 1 and (3, 3), (2, 2), (1, 1) differ\n{m}", m=m),
    )


def test_initial_values_fill_the_interval_of_one_over_root_fan_in():
    """Fresh values fill U(±1/√fan_in), where fan_in counts channels and taps.

    Hint: Print the largest magnitude and the standard deviation of weight and of bias. 32 channels
    and 3×3 taps ask for 0.0589 and 0.0340.
    Hint: A largest magnitude of 0.1768 is 1/√32: the taps were left out. 0.0417 is 1/√576: output
    channels in place of input channels. 0.1443 is kaiming_uniform_ with its default a. A bias of
    zeros, or up to 0.125, has not been given the bound of the weight.
    Hint: fan_in is the number of products that one output sums, which is the number of elements in
    one filter. One bound, from it, serves weight and bias: uniform draws from minus the bound to
    plus the bound.
    Hint: In one dimension: a kernel of 7 taps over 4 channels sums 4·7 = 28 products, and 1/√28 is
    0.189. `torch.empty(5).uniform_(-0.189, 0.189)` draws the five biases.
    """
    torch.manual_seed(0)
    layer = conv2d.CustomConv2d(32, 64, 3)
    bound = 1 / math.sqrt(32 * 3 * 3)
    for name, values in layer.named_parameters():
        largest, spread = values.abs().max().item(), values.std().item()
        assert 0.8 * bound < largest <= bound * (1 + 1e-5), tr(
            "{name} lies in U(±1/√fan_in), fan_in = 32·3·3 = 288, that is ±0.0589; "
            "its largest magnitude is {largest:.4f}",
            name=name,
            largest=largest,
        )
        assert abs(spread - bound / math.sqrt(3)) < 0.2 * bound, tr(
            "a uniform {name} has a standard deviation of 0.0589/√3 = 0.0340, got {spread:.4f}",
            name=name,
            spread=spread,
        )


def test_the_hand_made_path_does_without_convolution_and_unfold(monkeypatch):
    """On the CPU both methods work even where F.conv2d and F.unfold are refused.

    Hint: The traceback names the line of conv2d.py from which the refused function was reached.
    Does it stand in im2col, in forward_im2col or in forward?
    Hint: nn.Conv2d and nn.Unfold end up in those same functions. If it is forward: F.conv2d is
    welcome for an input on CUDA only. Is your question the right way round, and is the input the
    one that is asked?
    Hint: torch.cuda.is_available() is about the machine, not the tensor: ask the input where it
    lies. Windows can be gathered by slices with a step, by indexing, or by Tensor.unfold, which
    slides along one axis.
    Hint: Windows of 3 at a distance of 2 along one axis: `torch.arange(6).unfold(0, 3, 2)` is [[0,
    1, 2], [2, 3, 4]]. A tensor x is asked whether it lies on an Apple GPU by `x.device.type ==
    "mps"`.
    """

    def refuse(*_args, **_kwargs):
        raise AssertionError(tr("F.conv2d or F.unfold was called: gather the windows by hand"))

    layer = conv2d.CustomConv2d(2, 3, 3)
    monkeypatch.setattr(nn.functional, "conv2d", refuse)
    monkeypatch.setattr(nn.functional, "unfold", refuse)
    layer.forward_im2col(torch.zeros(1, 2, 5, 5))
    layer(torch.zeros(1, 2, 5, 5))
