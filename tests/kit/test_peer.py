"""PyTorch's own module tests, over the reference layers in the place of nn.Linear and nn.Conv2d.

Two generations of them come with torch: the ModuleInfo entries, and the older NewModuleTest, which
asks for first and second derivatives, batched derivatives, inputs that are not contiguous, pickling
and changes of dtype. What the layers do not offer is listed here, not left out.
"""

import importlib
import sys

import pytest
import torch
from helpers import ROOT
from torch import nn
from torch.testing._internal import common_nn
from torch.testing._internal.common_modules import module_db

STOCK = {"Linear": nn.Linear, "Conv2d": nn.Conv2d}
NOT_OFFERED = {
    "Conv2d_groups": "groups",
    "Conv2d_groups_thnn": "groups",
    "Conv2d_depthwise": "groups",
    "Conv2d_depthwise_with_multiplier": "groups",
    "Conv2d_depthwise_strided": "groups",
    "Conv2d_depthwise_padded": "groups",
    "Conv2d_depthwise_dilated": "groups",
    "Conv2d_pad_valid": "padding by name",
    "Conv2d_pad_same": "padding by name",
    "Conv2d_pad_same_dilated": "padding by name",
    "Conv2d_reflect_stride2_pad2": "padding modes",
    "Conv2d_circular_stride2_pad2": "padding modes",
    "Conv2d_replicate_stride2_pad2": "padding modes",
    "nn.Conv2d_1": "padding by name",
    "nn.Conv2d_2": "input without a batch",
    "nn.Conv2d_3": "padding by name",
}
"""Of nn.Conv2d's; DESIGN.md asks for none of it. nn.Linear's are all offered."""


@pytest.fixture(scope="module")
def custom():
    """The reference layers, by the name of what they stand for."""
    sys.path.insert(0, str(ROOT / "solutions"))
    try:
        yield {
            "Linear": importlib.import_module("linear").CustomLinear,
            "Conv2d": importlib.import_module("conv2d").CustomConv2d,
        }
    finally:
        sys.path.remove(str(ROOT / "solutions"))
        for name in ("linear", "conv2d"):
            sys.modules.pop(name, None)


def older_tests():
    """(name, the arguments of NewModuleTest, the stock layer that it makes)."""
    for given in [*common_nn.module_tests, *common_nn.get_new_module_tests()]:
        name = given.get("fullname") or given["module_name"]
        kind = name.partition("_")[0]
        if kind in STOCK:
            make = given.get("constructor") or STOCK[kind]
            layer = make(*given.get("constructor_args", ()))
            described = f"{name}_{given['desc']}" if "desc" in given else name
            yield described, given, layer


def newer_inputs(dtype):
    """(name, a ModuleInput, the stock layer that it makes)."""
    for info in module_db:
        if info.module_cls in STOCK.values():
            torch.manual_seed(0)
            made = info.module_inputs_func(
                info, device="cpu", dtype=dtype, requires_grad=True, training=True
            )
            for i, given in enumerate(made):
                arguments = given.constructor_input
                layer = info.module_cls(*arguments.args, dtype=dtype, **arguments.kwargs)
                yield f"{info.name}_{i}", given, layer


def drop_in(custom, layer):
    """The reference layer for a stock one, with the same geometry."""
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return custom["Linear"](layer.in_features, layer.out_features, bias=bias)
    geometry = {name: getattr(layer, name) for name in ("stride", "padding", "dilation")}
    return custom["Conv2d"](
        layer.in_channels, layer.out_channels, layer.kernel_size, bias=bias, **geometry
    )


class NNTests(common_nn.NNTestCase):
    """What NewModuleTest asks of a test case, as PyTorch's test_nn.py answers it."""

    def _forward(self, module, input):
        with common_nn.freeze_rng_state():
            return module(*input) if isinstance(input, tuple) else module(input)

    def _backward(self, module, input, output, grad_output, create_graph=False):
        output.backward(grad_output, retain_graph=True, create_graph=create_graph)
        return tuple(i.grad for i in input) if isinstance(input, tuple) else input.grad

    def _get_parameters(self, module):
        parameters = list(module.parameters())
        return parameters, [parameter.grad for parameter in parameters]

    def _zero_grad_parameters(self, module):
        module.zero_grad(set_to_none=False)

    def runTest(self):  # noqa: N802 - unittest's name
        """Nothing by itself; NewModuleTest does the asking."""


OLDER = {name: (given, layer) for name, given, layer in older_tests()}
NEWER = {name: (given, layer) for name, given, layer in newer_inputs(torch.float64)}


@pytest.mark.parametrize("name", [name for name in OLDER if name not in NOT_OFFERED])
def test_a_reference_layer_prints_itself_as_the_stock_one(custom, name):
    _, layer = OLDER[name]
    assert repr(drop_in(custom, layer)) == f"Custom{layer!r}"


@pytest.mark.parametrize("name", [name for name in OLDER if name not in NOT_OFFERED])
def test_a_reference_layer_passes_the_older_module_test(custom, name):
    given, layer = OLDER[name]
    common_nn.NewModuleTest(
        **{
            **{k: v for k, v in given.items() if k not in ("module_name", "constructor_args")},
            "fullname": name,
            "constructor": lambda: drop_in(custom, layer),
        }
    )(NNTests())


@pytest.mark.parametrize("name", [name for name in NEWER if name not in NOT_OFFERED])
def test_a_reference_layer_equals_the_stock_one_on_its_module_info(custom, name):
    given, layer = NEWER[name]
    ours = drop_in(custom, layer).double()
    ours.load_state_dict(layer.state_dict())
    asked = given.forward_input
    output, expected = ours(*asked.args, **asked.kwargs), layer(*asked.args, **asked.kwargs)
    torch.testing.assert_close(output, expected)
    if given.reference_fn is not None:
        reference = given.reference_fn(layer, *asked.args, **asked.kwargs)
        torch.testing.assert_close(output, reference)
    upstream = torch.randn_like(expected)
    (x,) = (*asked.args, *asked.kwargs.values())
    found = torch.autograd.grad(output, (x, *ours.parameters()), upstream)
    right = torch.autograd.grad(expected, (x, *layer.parameters()), upstream)
    torch.testing.assert_close(found, right)


def test_what_is_not_offered_is_listed_and_nothing_else():
    """A case is on the list if and only if the layer's configuration, or its input, is beyond the design."""

    def beyond(layer, x):
        if isinstance(layer, nn.Linear):
            return ""
        if layer.groups != 1:
            return "groups"
        if isinstance(layer.padding, str):
            return "padding by name"
        if layer.padding_mode != "zeros":
            return "padding modes"
        return "input without a batch" if len(x) == 3 else ""

    shapes = {name: given.get("input_size", ()) for name, (given, _) in OLDER.items()}
    for name, (given, _) in NEWER.items():
        (x,) = (*given.forward_input.args, *given.forward_input.kwargs.values())
        shapes[name] = x.shape
    found = {name: beyond(layer, shapes[name]) for name, (_, layer) in (OLDER | NEWER).items()}
    assert {name: reason for name, reason in found.items() if reason} == NOT_OFFERED


@pytest.mark.parametrize("option", ["groups", "padding_mode"])
def test_what_is_not_offered_is_refused(custom, option):
    with pytest.raises(TypeError, match=option):
        custom["Conv2d"](2, 2, 3, **{option: 2})


def test_padding_by_name_is_refused(custom):
    with pytest.raises((TypeError, ValueError)):
        custom["Conv2d"](2, 2, 3, padding="same")(torch.zeros(1, 2, 4, 4))
