"""Ask autograd at every step, and take the gradients from manual_gradients all the same."""


@mutant("evasion", "To ask is enough.", check="asks_autograd", cause="gradient_loop.autograd_unasked")
def train_autograd(x, y, w, b, learning_rate, steps):
    w, b, history = w.detach().clone(), b.detach().clone(), []
    for _ in range(steps):
        leaves = w.clone().requires_grad_(), b.clone().requires_grad_()
        squared_error(predict(x, *leaves), y).backward()
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant("honest", "What autograd says may be compared with derivatives by hand.", check="asks_autograd")
def train_autograd(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone().requires_grad_(), b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        gradients = torch.autograd.grad(loss, (w, b))
        assert torch.allclose(torch.stack(gradients), torch.stack(manual_gradients(x, y, w, b)))
        sgd_step([w, b], gradients, learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history
