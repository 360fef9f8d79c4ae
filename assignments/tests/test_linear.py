"""Public tests of linear.py. The numbers come from handouts/linear.md."""

import math

import torch
from torch import nn
from torch.testing import assert_close

from tower_student.language import tr

import linear


def tensor(values: list) -> torch.Tensor:
    """Make a float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def backward(output: torch.Tensor, upstream: torch.Tensor) -> None:
    """Do what output.backward(upstream) does, without its half second of imports the first time."""
    (output * upstream).sum().backward()


def worked_layer() -> nn.Module:
    """Make the layer of the handout: two features in, three out."""
    layer = linear.CustomLinear(2, 3, dtype=torch.float64)
    weight = tensor([[1, 0], [2, -1], [0.5, 3]])
    layer.load_state_dict({"weight": weight, "bias": tensor([0.5, 1, -1])})
    return layer


def test_weight_and_bias_are_registered_parameters():
    """CustomLinear(4, 3) lists a weight of shape (3, 4) and a bias of shape (3,).

    Hint: Print the names and shapes in layer.named_parameters(). Is something missing, called
    differently, or of another shape?
    Hint: An empty list: a plain tensor is an attribute like any other. Which class of tensor does
    nn.Module watch for? (4, 3): weight has one row per output, not one per input.
    Hint: Wrap each tensor in nn.Parameter when you assign it to self, under exactly the names
    weight and bias. weight is (outputs, inputs); bias has one dimension, with one number per
    output.
    Hint: A layer that scales by one number of its own has `self.scale =
    nn.Parameter(torch.ones(1))`, and named_parameters() lists scale, of shape (1,).
    """
    layer = linear.CustomLinear(4, 3)
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    assert shapes == {"weight": (3, 4), "bias": (3,)}, tr(
        "CustomLinear(4, 3) registers weight (out, in) = (3, 4) and bias (3,) as nn.Parameter; "
        "named_parameters() lists {shapes}",
        shapes=shapes,
    )


def test_bias_false_registers_the_name_bias_as_none():
    """With bias=False there is no bias, but its name stays registered.

    Hint: Print layer.bias, layer.state_dict() and layer._parameters for bias=False. If the
    constructor raises: does reset_parameters try to fill a bias that is not there?
    Hint: 'bias' in the state dict: the argument was ignored. layer.bias is False: the argument
    itself was stored. Only the last line fails: `self.bias = None` makes an ordinary attribute.
    Hint: nn.Module has a method that enters a parameter under a name given as a string, and it
    takes None for a value too. The constructor needs two cases, one for each value of the argument.
    Hint: A layer with a fixed mask, or without one: `self.register_buffer("mask", torch.ones(3) if
    masked else None)`. With masked = False, self.mask is None, state_dict() is empty, and
    self._buffers still lists mask.
    """
    layer = linear.CustomLinear(4, 3, bias=False)
    assert list(layer.state_dict()) == ["weight"], tr(
        "without a bias the state dict holds 'weight' alone, got {names}",
        names=list(layer.state_dict()),
    )
    assert layer.bias is None, tr("bias=False makes layer.bias None, got {bias!r}", bias=layer.bias)
    assert "bias" in layer._parameters, tr(
        "bias=False keeps the name: register_parameter('bias', None)"
    )


def test_dtype_is_that_of_the_parameters():
    """Weight and bias are made in the dtype that was asked for.

    Hint: Print the dtype of each parameter. Are both float32, or is it only one?
    Hint: float32 is what torch.empty, torch.zeros and torch.rand make if no dtype is given.
    Where in your constructor does the argument dtype go?
    Hint: The functions that make a tensor take dtype and device as keywords. Hand both on, for
    weight and for bias; None stands for the default there, so no case has to be told apart.
    Hint: A function that makes three halves where and as what it is told: `torch.full((3,), 0.5,
    device=device, dtype=dtype)`. For None and None that is float32 on the CPU.
    """
    layer = linear.CustomLinear(4, 3, dtype=torch.float64)
    dtypes = {p.dtype for p in layer.parameters()}
    assert dtypes == {torch.float64}, tr(
        "dtype=torch.float64 was asked for, got {dtypes}", dtypes=dtypes
    )


def test_forward_of_one_sample_follows_the_worked_example():
    """One sample: each row of weight times the input, plus bias.

    Hint: Work out output 0 with a pencil: row 0 of weight is [1, 0], the input is [1, 2], the bias
    0.5. [1, 0, 6.5] is the answer without a bias.
    Hint: Print input.shape and self.weight.shape. Which of the two has to be transposed so that the
    inner sizes meet? torch.mm wants two dimensions on either side, and this input has one.
    Hint: (…, in) @ (in, out) gives (…, out): the transposed weight stands on the right. The bias,
    of shape (out,), is added to the result.
    Hint: The columns of a table, summed: `torch.tensor([[1, 2], [3, 4], [5, 6]]).T @
    torch.tensor([1, 1, 1])` is [9, 12]. The table is (3, 2); transposed, (2, 3) @ (3,), the 3s
    meet.
    """
    output = worked_layer()(tensor([1, 2]))
    assert output.tolist() == [1.5, 1, 5.5], tr(
        "rows of weight times [1, 2], plus bias: [1 + 0.5, 0 + 1, 6.5 - 1] = [1.5, 1, 5.5]; "
        "got {got}",
        got=output.tolist(),
    )


def test_gradients_of_two_samples_follow_the_worked_example():
    """Autograd finds the gradients that the handout finds with a pencil.

    Hint: Print layer(samples).grad_fn. None means that nothing was recorded. If there are
    gradients, see which of the three is off: input, weight or bias.
    Hint: A gradient of None: look for .data, .detach(), no_grad, numpy or torch.tensor(...) between
    the parameter and the output. A weight gradient of [[1, 2], [2, 4], [-1, -2]] knows the first
    sample only, and one half as large as expected comes from a mean over the samples.
    Hint: A backward of your own is not needed. Compute with self.weight, self.bias and input
    themselves, by differentiable operations; autograd then sums over the samples. Nothing in
    forward divides by their number.
    Hint: For `s = torch.tensor(2.0, requires_grad=True)`, `(s * torch.tensor([1.0,
    3.0])).sum().backward()` puts 1 + 3 = 4 into s.grad. With s.item() in place of s there would be
    nothing to follow.
    """
    layer = worked_layer()
    samples = tensor([[1, 2], [3, -1]]).requires_grad_()
    backward(layer(samples), tensor([[1, 2, -1], [0, 1, 1]]))

    for name in ("weight", "bias"):
        assert getattr(layer, name).grad is not None, tr(
            "no gradient reached {name}: is something detached, or computed under no_grad?",
            name=name,
        )
    assert samples.grad.tolist() == [[4.5, -5], [2.5, 2]], tr(
        "input gradient = upstream · weight = [[4.5, -5], [2.5, 2]], got {got}",
        got=samples.grad.tolist(),
    )
    assert layer.weight.grad.tolist() == [[1, 2], [5, 3], [2, -3]], tr(
        "weight gradient = upstreamᵀ · input, summed over the samples = "
        "[[1, 2], [5, 3], [2, -3]], got {got}",
        got=layer.weight.grad.tolist(),
    )
    assert layer.bias.grad.tolist() == [1, 3, 0], tr(
        "bias gradient = upstream summed over the samples = [1, 3, 0], got {got}",
        got=layer.bias.grad.tolist(),
    )


def test_output_and_gradients_equal_those_of_nn_linear():
    """With the weights of an nn.Linear the layer computes what nn.Linear computes.

    Hint: See which line fails: load_state_dict, the first assert_close (output) or the second
    (gradients). For the output, print mine_out - stock_out.
    Hint: load_state_dict: "Missing key(s)" is a wrong name, "size mismatch" a weight stored as
    (in, out). A difference that is the same in each row is the missing bias. A complaint about
    dtype comes from a .float() on the way.
    Hint: (5, 4) and (3, 4) have to become (5, 3): the two 4s meet and are summed over. forward has
    to read self.weight and self.bias themselves: a copy made in __init__ knows nothing of the
    weights loaded later.
    Hint: A layer with a parameter gain and `def forward(self, x): return x * self.gain` doubles its
    output after `layer.load_state_dict(dict(gain=torch.tensor(2.0)))` where gain was 1. The name
    and the shape have to fit.
    """
    torch.manual_seed(0)
    stock = nn.Linear(4, 3, dtype=torch.float64)
    mine = linear.CustomLinear(4, 3, dtype=torch.float64)
    mine.load_state_dict(stock.state_dict())
    samples, upstream = torch.randn(5, 4).double(), torch.randn(5, 3).double()

    mine_out, stock_out = mine(samples), stock(samples)
    assert_close(mine_out, stock_out, msg=lambda m: tr("output differs from nn.Linear's\n{m}", m=m))
    backward(mine_out, upstream)
    backward(stock_out, upstream)
    got, wanted = ({n: p.grad for n, p in layer.named_parameters()} for layer in (mine, stock))
    assert_close(got, wanted, msg=lambda m: tr("a gradient differs from nn.Linear's\n{m}", m=m))


def test_leading_dimensions_are_kept():
    """An input of shape (2, 5, 4) gives (2, 5, 3): only the last dimension changes.

    Hint: Write down the three shapes: input (2, 5, 4), weight (3, 4), result (2, 5, 3). Print what
    you have on either side of the product.
    Hint: torch.mm and a reshape to (N, …) know two dimensions only, and a transposed input has lost
    its order: .T on three dimensions reverses all of them. Which operand can be transposed without
    harm?
    Hint: `@` (torch.matmul) works on the last two dimensions and carries along those in front. With
    the two-dimensional weight on the right the input needs no reshape; the bias meets the last
    dimension by itself.
    Hint: Other sizes: `torch.ones(7, 2, 5) @ torch.ones(5, 6)` has the shape (7, 2, 6). The 5s
    meet, and (7, 2) is carried along.
    """
    layer = linear.CustomLinear(4, 3)
    shape = tuple(layer(torch.zeros(2, 5, 4)).shape)
    assert shape == (2, 5, 3), tr(
        "only the last dimension changes: (2, 5, 4) → (2, 5, 3), got {shape}", shape=shape
    )


def test_without_bias_zero_maps_to_zero():
    """Without a bias, zeros in give zeros out.

    Hint: What does forward do when self.bias is None? Print self.bias there, before anything is
    added.
    Hint: A TypeError about Tensor and NoneType: the bias was added without a question. Another
    number than 0: a bias was made although bias=False. nan: the weight was never filled, and 0·nan
    is nan.
    Hint: forward has two cases, and in one of them the product alone is the answer. Ask whether the
    bias `is None`: a bare `if self.bias` raises as soon as the bias has more than one element.
    Hint: A layer with an upper limit that may be None: `if limit is not None: x =
    x.clamp(max=limit)`. Without a limit, x goes through as it is, and a limit of 0 counts as one.
    """
    output = linear.CustomLinear(4, 3, bias=False)(torch.zeros(2, 4))
    assert output.abs().max().item() == 0, tr("0 · weightᵀ is 0, got {got}", got=output.tolist())


def test_initial_values_fill_the_interval_of_one_over_root_in_features():
    """Fresh values fill U(±1/√in_features), for weight and for bias.

    Hint: Print the largest magnitude and the standard deviation of weight and of bias. 400 inputs
    ask for 0.05 and 0.0289.
    Hint: A largest magnitude of 0.0577 is 1/√300: outputs taken for inputs. 0.0025 is 1/400,
    without the root. 0.1225 is kaiming_uniform_ with its default a. A spread of 0.0144 is
    torch.rand that was scaled but not shifted.
    Hint: One bound serves both: one over the root of the number of inputs that an output sums. The
    draw is uniform and symmetric, from minus the bound to plus the bound, and fills the bias as
    well.
    Hint: Three angles of up to 30° to either side: `limit = math.radians(30); angles =
    torch.empty(3).uniform_(-limit, limit)`. One limit, once with a minus and once without.
    """
    torch.manual_seed(0)
    layer = linear.CustomLinear(400, 300)
    bound = 1 / math.sqrt(400)
    for name, values in layer.named_parameters():
        largest, spread = values.abs().max().item(), values.std().item()
        assert 0.9 * bound < largest <= bound * (1 + 1e-5), tr(
            "{name} lies in U(±1/√400), that is ±0.05; its largest magnitude is {largest:.4f}",
            name=name,
            largest=largest,
        )
        assert abs(spread - bound / math.sqrt(3)) < 0.15 * bound, tr(
            "a uniform {name} has a standard deviation of 0.05/√3 = 0.0289, got {spread:.4f}",
            name=name,
            spread=spread,
        )


def test_reset_parameters_draws_anew():
    """Calling reset_parameters() puts new random values into the weight.

    Hint: Print layer.weight before the call and after it. Then print, inside reset_parameters, the
    numbers it draws.
    Hint: New numbers inside, old ones in the layer: they went into a local tensor. The same numbers
    each time: a seed is set inside. No numbers at all: the draw stands in __init__ only.
    Hint: The draw belongs in reset_parameters, which fills the existing parameters in place, and
    __init__ calls it once. Random state is left alone: no manual_seed.
    Hint: A die that keeps its number in a tensor: `def roll(self): self.number.random_(1, 7)`
    changes that tensor. `number = torch.randint(1, 7, (1,))` inside would make a local one, gone at
    the end.
    """
    layer = linear.CustomLinear(4, 3)
    before = layer.weight.detach().clone()
    layer.reset_parameters()
    assert not torch.equal(before, layer.weight), tr("reset_parameters() left the weight as it was")


def test_an_optimizer_step_changes_what_forward_computes():
    """After a step of SGD, forward computes with the weights as they are now.

    Hint: Print layer.weight before and after optimizer.step(). Row 0 goes from [1, 0] to
    [0.9, -0.2].
    Hint: The weight has not moved: is it in layer.parameters(), and did a gradient reach it? It has
    moved, but the output is still [1.5, 1, 5.5]: then forward reads something else. [1, 0.5, 5]
    means that the bias alone stayed.
    Hint: A transposed copy that is kept, from __init__ or from the first forward, holds the old
    numbers for ever. Take self.weight anew in every forward; transposing copies nothing and costs
    next to nothing.
    Hint: `def forward(self, x): return x * self.scale.exp()` follows every step. With `self.factor
    = self.scale.exp()` in __init__, and factor in forward, the exponential of the old scale stays.
    """
    layer = worked_layer()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(tensor([1, 2])).sum().backward()
    optimizer.step()
    # upstream is [1, 1, 1]: each weight row loses 0.1·[1, 2], each bias 0.1
    assert_close(
        layer(tensor([1, 2])).detach(),
        tensor([0.9, 0.4, 4.9]),
        msg=lambda m: tr(
            "each output falls by 0.1·(1·1 + 2·2 + 1) = 0.6 after the step, from [1.5, 1, 5.5] to "
            "[0.9, 0.4, 4.9]; are the weights read anew in every forward?\n{m}",
            m=m,
        ),
    )


def test_forward_does_without_f_linear(monkeypatch):
    """forward works even where F.linear is refused.

    Hint: The traceback names the line of linear.py from which F.linear was reached.
    Hint: An nn.Linear kept inside your layer calls F.linear in its own forward, so it is refused as
    well. Does forward hand the work to another layer?
    Hint: F.linear does two things: a matrix product with the transposed weight, and an addition.
    `@`, torch.matmul or torch.einsum can do the first, `+` the second.
    Hint: F.normalize along the last axis, written out: `x / x.norm(dim=-1, keepdim=True)`. [3, 4]
    has the length 5 and becomes [0.6, 0.8].
    """

    def refuse(*_args, **_kwargs):
        raise AssertionError(
            tr("forward called F.linear (nn.Linear does too): use matrix arithmetic")
        )

    layer = linear.CustomLinear(4, 3)
    monkeypatch.setattr(torch.nn.functional, "linear", refuse)
    layer(torch.zeros(2, 4))
