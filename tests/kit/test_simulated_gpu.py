"""The simulated GPU: code that is right on a real one is right there, and code that is not, is not."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.sandbox.simulated_gpu import OnGPU, SimulatedGPU, Simulation

GPU = SimulatedGPU()
RIGHT = {
    "a number": lambda x: x * 2 + 1,
    "a tensor of one number": lambda x: x * torch.tensor(2.0),
    "zeros there": lambda x: x + torch.zeros(3, device=x.device),
    "zeros there by name": lambda x: x + torch.zeros(3, device="cuda"),
    "zeros like it": lambda x: x + torch.zeros_like(x),
    "new zeros": lambda x: x + x.new_zeros(3),
    "a range there": lambda x: x[:, torch.arange(3, device=x.device)],
    "an index from the CPU": lambda x: x[torch.tensor([1, 0])],
    "a mask": lambda x: torch.where(x > 0, x, 0.0),
    "written into": lambda x: torch.zeros_like(x).copy_(x),
    "a slice assigned": lambda x: _assigned(x),
    "stacked": lambda x: torch.stack([x, x]),
    "split": lambda x: torch.cat(x.split(1)),
    "a maximum": lambda x: x.max(0).values,
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
    "a pad": lambda x: F.pad(x, (1, 1)),
    "another dtype": lambda x: x.to(torch.float64),
    "to where it is": lambda x: x.to(x.device),
    "to where it is, as double": lambda x: x.to(device=x.device, dtype=torch.float64),
    "as another": lambda x: x.double().to(x),
    "cuda()": lambda x: x.cuda(),
    "cuda() if there is one": lambda x: x.cuda() if torch.cuda.is_available() else x,
    "waited for": lambda x: _waited(x),
    "vmap": lambda x: torch.vmap(lambda row: row @ x.T)(x),
    "a script": lambda x: _script()(x) + x,
    "a context": lambda x: _within(x),
    "detached": lambda x: x.detach().clone(),
    "data": lambda x: x.data,
    "a deep copy": lambda x: copy.deepcopy(x.detach()),
    "a function of autograd's": lambda x: _Double.apply(x),
}
WRONG = {
    "zeros without a device": lambda x: x + torch.zeros(3),
    "zeros on the CPU": lambda x: x + torch.zeros(3, device="cpu"),
    "a range without a device": lambda x: x.index_select(1, torch.arange(3)),
    "joined with the CPU": lambda x: torch.cat([x, torch.zeros(1, 3)]),
    "numpy": lambda x: x.detach().numpy(),
}
CARRYING = {
    "cpu()": lambda x: x.cpu(),
    "to cpu": lambda x: x.to("cpu"),
    "to cpu by name": lambda x: x.to(device=torch.device("cpu")),
    "zeros sent there": lambda x: x + torch.zeros(3).to(x.device),
    "zeros sent by cuda()": lambda x: x + torch.zeros(3).cuda(),
    "zeros sent to it": lambda x: x + torch.zeros(3).to(x),
    "written from the CPU": lambda x: torch.zeros_like(x).copy_(torch.zeros(3)),
}


class _Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 + torch.zeros(3, device=x.device)


def _assigned(x):
    out = x.new_empty(x.shape)
    out[0], out[1:] = x[0], x[1:]
    return out


def _script():
    return torch.jit.script(_doubled)


def _doubled(x):
    return x * 2


def _waited(x):
    if x.is_cuda:
        torch.cuda.synchronize()
    return x * 2


def _within(x):
    with torch.device(x.device):
        return x + torch.ones(3)


def run(work):
    """What the work returns and carries on the simulated GPU, the gradient, and what it returns elsewhere."""
    torch.manual_seed(0)
    plain = torch.randn(2, 3, requires_grad=True)
    x = GPU.carried(plain)
    with Simulation() as gpu:
        result = work(x)
    return x, result, gpu.copies


@pytest.mark.parametrize("kind", RIGHT)
def test_what_is_right_on_a_gpu_is_right_there(kind):
    x, result, copies = run(RIGHT[kind])
    torch.manual_seed(0)
    plain = torch.randn(2, 3, requires_grad=True)
    if kind not in ("cuda()", "zeros there by name"):
        expected = RIGHT[kind](plain)
        torch.testing.assert_close(GPU.brought_back(result), expected)
        if expected.requires_grad:
            expected.sum().backward()
            GPU.brought_back(result).sum().backward()
            torch.testing.assert_close(GPU.brought_back(x.grad), plain.grad)
    assert isinstance(result, OnGPU) or kind == "vmap"
    assert copies == 0


@pytest.mark.parametrize("kind", WRONG)
def test_what_fails_on_a_gpu_fails_there(kind):
    with pytest.raises((RuntimeError, TypeError), match=r"same device|can't convert cuda"):
        run(WRONG[kind])


@pytest.mark.parametrize("kind", CARRYING)
def test_what_is_carried_is_counted(kind):
    _, result, copies = run(CARRYING[kind])
    assert copies == 1
    assert isinstance(result, OnGPU) == ("cpu" not in kind)


def test_an_error_names_it_as_torch_does():
    x = GPU.carried(torch.zeros(2))
    with Simulation(), pytest.raises(TypeError, match="'Tensor' and 'NoneType'"):
        x + None


def test_it_says_where_it_lies():
    x = GPU.carried(torch.zeros(2, 3))
    with Simulation():
        assert (x.is_cuda, x.is_cpu, x.get_device()) == (True, False, 0)
        assert (x.device.type, str((x + 1).device)) == ("cuda", "cuda:0")
        assert x.device == torch.zeros(1, device="cuda").device
        assert torch.zeros(1).device.type == "cpu"
        assert torch.zeros(1, device="meta").is_meta
        assert not x.cpu().is_cuda
        assert (torch.cuda.is_available(), torch.cuda.device_count()) == (True, 1)
    assert x.device.type == "cpu", "outside, it is what it is"
    assert torch.cuda.is_available() == (torch.cuda.device_count() > 0)


def test_a_layer_is_carried_with_all_that_is_registered():
    layer = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    GPU.carry(layer)
    for name, value in [*layer.named_parameters(), *layer.named_buffers()]:
        assert isinstance(value, OnGPU)
        torch.testing.assert_close(GPU.brought_back(value.detach()), before[name])
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in layer.parameters())
    assert not torch.__future__.get_overwrite_module_params_on_conversion()


def test_a_layer_that_moves_more_than_is_registered_moves_it_there_too():
    class Offset(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))
            self.offset = torch.ones(3)

        def to(self, *args, **kwargs):
            super().to(*args, **kwargs)
            self.offset = self.offset.to(*args, **kwargs)
            return self

        def forward(self, x):
            return x * self.scale + self.offset

    layer = Offset()
    GPU.carry(layer)
    _, result, copies = run(layer)
    assert isinstance(result, OnGPU)
    assert copies == 0
    GPU.brought_back(result).sum().backward()
    assert layer.scale.grad is not None


def test_what_works_in_place_returns_what_it_was_called_on():
    x = GPU.carried(torch.zeros(3))
    with Simulation():
        assert x.add_(1) is x
        assert x.requires_grad_() is x
        assert x.is_leaf
