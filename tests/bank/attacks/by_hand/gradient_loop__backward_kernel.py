"""Call the kernel that autograd would call for the derivative of the error, by its name."""


@mutant("evasion", "Who calls the kernel does not ask autograd.", check="manual_by_hand")
def manual_gradients(x, y, w, b):
    kernel = getattr(torch.ops.aten, "mse_loss_" + "drawkcab"[::-1])
    error = kernel(torch.ones_like(x[:1].sum()), predict(x, w, b), y, 1)
    return (error * x).sum(), error.sum()


@mutant("honest", "A kernel may be called by its name.", check="manual_by_hand")
def manual_gradients(x, y, w, b):
    error = getattr(torch.ops.aten, "su" + "b")(predict(x, w, b), y)
    return 2 * (error * x).mean(), 2 * error.mean()
