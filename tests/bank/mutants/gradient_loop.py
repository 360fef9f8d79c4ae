"""Wrong gradient loops, each in the place of the solution's own function."""

from autograder.bank import mutant


# --- predict


@mutant(
    "predict_swaps_w_and_b",
    "The order of the arguments names the roles: b scales, w shifts.",
    check="predict",
    cause="gradient_loop.predict.exchanged",
)
def predict(x, w, b):
    return b * x + w


@mutant(
    "predict_forgets_b",
    "The line goes through the origin; b only matters in the update.",
    check="predict",
    cause="gradient_loop.gradients.b_left_out",
)
def predict(x, w, b):
    return w * x


@mutant(
    "predict_by_matmul",
    "A product of tensors is always written with @, also where one has no dimensions.",
    check="predict",
    cause="raised.matmul_of_numbers",
)
def predict(x, w, b):
    return x @ w + b


@mutant(
    "predict_distributes_over_b",
    "w·x + b is w·(x + b).",
    check="predict",
    cause="gradient_loop.predict.sum_multiplied",
)
def predict(x, w, b):
    return w * (x + b)


@mutant(
    "predict_averages",
    "A prediction is one number, so the points are averaged at once.",
    check="predict",
    cause="gradient_loop.predict.averaged",
)
def predict(x, w, b):
    return (w * x + b).mean()


@mutant(
    "predict_from_numbers",
    "x is always a vector, and a tensor rebuilt from its numbers is the same tensor.",
    check="predict",
    cause="value.dtype",
)
def predict(x, w, b):
    return torch.tensor([w.item() * value.item() + b.item() for value in x])


@mutant(
    "predict_in_float32",
    "Neural networks compute in float32, whatever comes in.",
    check="predict",
    cause="value.dtype",
)
def predict(x, w, b):
    return w.float() * x.float() + b.float()


@mutant(
    "predict_overwrites_x",
    "Working in place saves memory and harms nobody.",
    check="predict",
    cause="gradient_loop.copies.before_update",
)
def predict(x, w, b):
    with torch.no_grad():
        x.mul_(w)
    return x + b


@mutant(
    "predict_uses_data",
    "The forward pass needs values only, so .data is the clean way to read a parameter.",
    check="train_autograd",
    cause="raised.no_graph",
)
def predict(x, w, b):
    return w.data * x + b.data


@mutant(
    "predict_without_nan",
    "Where x is missing, the line is at 0.",
    check="predict",
    cause="gradient_loop.nan_replaced",
)
def predict(x, w, b):
    return torch.nan_to_num(w * x + b)


# --- squared_error


@mutant(
    "error_is_a_sum",
    "Summing and averaging differ by a constant, so it does not matter which.",
    check="squared_error",
    cause="gradient_loop.squared_error.sum",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).sum()


@mutant(
    "error_is_halved",
    "The squared error always carries the factor ½ that makes its derivative pretty.",
    check="squared_error",
    cause="gradient_loop.squared_error.half",
)
def squared_error(y_predicted, y):
    return 0.5 * ((y_predicted - y) ** 2).mean()


@mutant(
    "error_is_absolute",
    "The distance to the target is its absolute value.",
    check="squared_error",
    cause="gradient_loop.squared_error.absolute",
)
def squared_error(y_predicted, y):
    return (y_predicted - y).abs().mean()


@mutant(
    "error_is_rooted",
    "An error should have the unit of y, so the root is taken.",
    check="squared_error",
    cause="gradient_loop.squared_error.root",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).mean().sqrt()


@mutant(
    "error_squares_the_mean",
    "Squaring and averaging may be exchanged.",
    check="squared_error",
    cause="gradient_loop.squared_error.mean_squared",
)
def squared_error(y_predicted, y):
    return (y_predicted - y).mean() ** 2


@mutant(
    "error_is_a_sample_variance",
    "An average of squares is divided by n - 1, as in statistics.",
    check="squared_error",
    cause="gradient_loop.squared_error.one_less",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).sum() / (y.numel() - 1)


@mutant(
    "error_over_the_first_dimension",
    "The mean over the batch is the mean over everything: data have one dimension.",
    check="squared_error",
    cause="gradient_loop.squared_error.over_first_dimension",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).mean(dim=0)


@mutant(
    "error_over_len",
    "len(y) is the number of elements of y.",
    check="squared_error",
    cause="raised.no_length",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).sum() / len(y)


@mutant(
    "error_keeps_a_dimension",
    "A vector with one element is a scalar.",
    check="squared_error",
    cause="shape.rearranged",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).mean().reshape(1)


@mutant(
    "error_is_not_averaged",
    "backward() and the optimiser take care of reducing the loss.",
    check="squared_error",
    cause="gradient_loop.squared_error.one_by_one",
)
def squared_error(y_predicted, y):
    return (y_predicted - y) ** 2


@mutant(
    "error_is_a_float",
    "A loss is a number, so .item() belongs where the number is made.",
    check="squared_error",
    cause="raised.number_for_tensor",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).mean().item()


@mutant(
    "squared_error_leaves_nan_out",
    "A number that is missing is no error.",
    check="squared_error",
    cause="gradient_loop.nan_replaced",
)
def squared_error(y_predicted, y):
    return ((y_predicted - y) ** 2).nanmean()


# --- manual_gradients


@mutant(
    "gradients_are_sums",
    "The loss is a mean, its derivative a sum over the points.",
    check="manual_gradients",
    cause="gradient_loop.gradients.summed",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).sum()
    grad_b = (2 * error).sum()
    return grad_w, grad_b


@mutant(
    "gradients_without_the_two",
    "Constant factors do not matter: the learning rate swallows them.",
    check="manual_gradients",
    cause="gradient_loop.gradients.two_missing",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (error * x).mean()
    grad_b = error.mean()
    return grad_w, grad_b


@mutant(
    "gradients_of_the_reversed_error",
    "y - y_predicted or y_predicted - y: the square makes it the same, also in the derivative.",
    check="manual_gradients",
    cause="gradient_loop.gradients.difference_reversed",
)
def manual_gradients(x, y, w, b):
    error = y - predict(x, w, b)
    grad_w = (2 * error * x).mean()
    grad_b = (2 * error).mean()
    return grad_w, grad_b


@mutant(
    "grad_w_without_the_inner_derivative",
    "The derivative of e² is 2·e, and that is that: the chain rule ends at the square.",
    check="manual_gradients",
    cause="gradient_loop.gradients.inner_derivative_missing",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error).mean()
    grad_b = (2 * error).mean()
    return grad_w, grad_b


@mutant(
    "grad_b_times_x",
    "Both derivatives carry the input as a factor.",
    check="manual_gradients",
    cause="gradient_loop.gradients.inner_derivative_x",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = (2 * error * x).mean()
    return grad_w, grad_b


@mutant(
    "grad_b_without_the_two",
    "The inner derivative by b is 1, so nothing is left to multiply by.",
    check="manual_gradients",
    cause="gradient_loop.gradients.two_missing",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = error.mean()
    return grad_w, grad_b


@mutant(
    "grad_w_as_a_product_of_means",
    "The mean of a product is the product of the means.",
    check="manual_gradients",
    cause="gradient_loop.gradients.product_of_means",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = 2 * error.mean() * x.mean()
    grad_b = (2 * error).mean()
    return grad_w, grad_b


@mutant(
    "grad_w_times_w",
    "The inner derivative of w·x is w.",
    check="manual_gradients",
    cause="gradient_loop.gradients.inner_derivative_w",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * w).mean()
    grad_b = (2 * error).mean()
    return grad_w, grad_b


@mutant(
    "gradients_in_the_wrong_order",
    "The caller will know which gradient is which.",
    check="manual_gradients",
    cause="gradient_loop.gradients.exchanged",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = (2 * error).mean()
    return grad_b, grad_w


@mutant(
    "grad_b_of_every_point",
    "The gradient by b is 2·e, one for each point; broadcasting does the rest.",
    check="manual_gradients",
    cause="gradient_loop.gradients.one_by_one",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = 2 * error
    return grad_w, grad_b


@mutant(
    "gradients_averaged_twice",
    "Dividing by the number of points once more is on the safe side.",
    check="manual_gradients",
    cause="gradient_loop.gradients.mean_twice",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean() / x.numel()
    grad_b = (2 * error).mean() / x.numel()
    return grad_w, grad_b


@mutant(
    "gradients_over_len",
    "len(x) counts the points, whatever the shape of x.",
    check="manual_gradients",
    cause="raised.no_length",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).sum() / len(x)
    grad_b = (2 * error).sum() / len(x)
    return grad_w, grad_b


@mutant(
    "gradients_by_a_coarse_difference",
    "A difference quotient with a small step is the derivative.",
    check="manual_gradients",
    cause="gradient_loop.gradients.difference_quotient",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    step, here = 1e-4, (error**2).mean()
    grad_w = (squared_error(predict(x, w + step, b), y) - here) / step
    grad_b = (squared_error(predict(x, w, b + step), y) - here) / step
    return grad_w, grad_b


@mutant(
    "gradients_clipped",
    "Gradients beyond ±1 are unstable and always have to be clipped.",
    check="manual_gradients",
    cause="gradient_loop.gradients.value_clipped",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = (2 * error).mean()
    return grad_w.clamp(-1, 1), grad_b.clamp(-1, 1)


@mutant(
    "gradients_normalised",
    "Only the direction of a gradient counts, so it is scaled to length one.",
    check="manual_gradients",
    cause="gradient_loop.gradients.length_one_together",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = (2 * error).mean()
    length = (grad_w**2 + grad_b**2).sqrt()
    return grad_w / length, grad_b / length


@mutant(
    "grad_b_takes_b_as_the_input",
    "b stands where w stands, so its derivative is 2·e·b.",
    check="manual_gradients",
    cause="gradient_loop.gradients.inner_derivative_b",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = (2 * error * x).mean()
    grad_b = (2 * error * b).mean()
    return grad_w, grad_b


@mutant(
    "gradients_without_nan",
    "NaN must not get into the parameters, so it counts as 0.",
    check="manual_gradients",
    cause="gradient_loop.nan_replaced",
)
def manual_gradients(x, y, w, b):
    error = torch.nan_to_num(predict(x, w, b) - y)
    return (2 * error * x).mean(), (2 * error).mean()


# --- manual_by_hand


@mutant(
    "manual_asks_autograd_grad",
    "torch.autograd.grad is by hand, since it is not backward().",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def manual_gradients(x, y, w, b):
    with torch.enable_grad():
        w, b = w.detach().requires_grad_(), b.detach().requires_grad_()
        return torch.autograd.grad(squared_error(predict(x, w, b), y), (w, b))


@mutant(
    "manual_calls_backward_on_copies",
    "Autograd on copies leaves the caller's tensors alone, so it counts as manual.",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def manual_gradients(x, y, w, b):
    torch.set_grad_enabled(True)
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    squared_error(predict(x, w, b), y).backward()
    return w.grad, b.grad


@mutant(
    "manual_by_torch_func",
    "torch.func.grad is mathematics, not autograd.",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def manual_gradients(x, y, w, b):
    loss = lambda w, b: squared_error(predict(x, w, b), y)
    return torch.func.grad(loss, argnums=(0, 1))(w.detach(), b.detach())


@mutant(
    "manual_needs_recording",
    "By hand means calling backward() by hand.",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def manual_gradients(x, y, w, b):
    w, b = w.detach().requires_grad_(), b.detach().requires_grad_()
    squared_error(predict(x, w, b), y).backward()
    return w.grad, b.grad


@mutant(
    "manual_by_forward_mode",
    "Forward-mode derivatives are computed along the way, so nobody differentiated for me.",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def manual_gradients(x, y, w, b):
    w, b = w.detach(), b.detach()
    one = torch.ones_like(w)
    _, grad_w = torch.func.jvp(lambda w: squared_error(predict(x, w, b), y), (w,), (one,))
    _, grad_b = torch.func.jvp(lambda b: squared_error(predict(x, w, b), y), (b,), (one,))
    return grad_w, grad_b


# --- sgd_step


@mutant(
    "step_uphill",
    "The gradient points to where the loss falls.",
    check="sgd_step",
    cause="gradient_loop.step.uphill",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter += learning_rate * gradient


@mutant(
    "step_rebinds",
    "Assigning to the loop variable changes the tensor it named.",
    check="sgd_step",
    cause="gradient_loop.step.new_tensor",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter = parameter - learning_rate * gradient


@mutant(
    "step_replaces_in_the_list",
    "Putting a new tensor into the list updates the one that was there.",
    check="sgd_step",
    cause="gradient_loop.step.new_tensor",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for i, gradient in enumerate(gradients):
            parameters[i] = parameters[i] - learning_rate * gradient


@mutant(
    "step_is_recorded",
    "An in-place update needs no no_grad: it is not part of the loss.",
    check="train_autograd",
    cause="raised.leaf_in_place",
)
def sgd_step(parameters, gradients, learning_rate):
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter -= learning_rate * gradient


@mutant(
    "step_ignores_the_learning_rate",
    "The gradient already has the right length.",
    check="sgd_step",
    cause="gradient_loop.rate.unused",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= gradient


@mutant(
    "step_has_its_own_learning_rate",
    "0.01 is the learning rate one uses.",
    check="sgd_step",
    cause="gradient_loop.rate.fixed",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= 0.01 * gradient


@mutant(
    "step_returns_after_the_first",
    "A return inside the loop is reached when the loop is over.",
    check="sgd_step",
    cause="gradient_loop.step.return_in_loop",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * gradient
            return


@mutant(
    "step_for_two_parameters_only",
    "There are always exactly two parameters, w and b.",
    check="sgd_step",
    cause="raised.unpacking",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        w, b = parameters
        grad_w, grad_b = gradients
        w -= learning_rate * grad_w
        b -= learning_rate * grad_b


@mutant(
    "step_reads_grad_of_the_parameter",
    "A gradient is always found in .grad; the second argument is for show.",
    check="sgd_step",
    cause="gradient_loop.step.no_grad_needed",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * parameter.grad


@mutant(
    "step_switches_gradients_off",
    "requires_grad_(False) is the same as no_grad and needs no undoing.",
    check="sgd_step",
    cause="gradient_loop.step.requires_grad_lasts",
)
def sgd_step(parameters, gradients, learning_rate):
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.requires_grad_(False)
        parameter -= learning_rate * gradient


@mutant(
    "step_decays_the_weights",
    "Some weight decay belongs to every step.",
    check="sgd_step",
    cause="gradient_loop.step.weight_decay",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * (gradient + 0.01 * parameter)


@mutant(
    "step_divides_by_the_number_of_parameters",
    "The learning rate is shared among the parameters.",
    check="sgd_step",
    cause="gradient_loop.step.half",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * gradient / len(parameters)


@mutant(
    "step_multiplies_the_parameter",
    "p·(1 - η·g) is p - η·g.",
    check="sgd_step",
    cause="gradient_loop.step.multiplied",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter *= 1 - learning_rate * gradient


@mutant(
    "step_by_the_sign",
    "Only the sign of a gradient says where to go.",
    check="sgd_step",
    cause="gradient_loop.step.sign_alone",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * gradient.sign()


# --- train_manual


@mutant(
    "manual_training_moves_the_callers_tensors",
    "A function works on its own copies of its arguments.",
    check="train_manual",
    cause="gradient_loop.copies.before_update",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach(), b.detach()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_one_step_short",
    "The initial values are the first step.",
    check="train_manual",
    cause="gradient_loop.history.last_missing",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(1, steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_records_the_start",
    "The history begins with the values before any step.",
    check="train_manual",
    cause="gradient_loop.history.start_first",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = [Step(squared_error(predict(x, w, b), y).item(), w.item(), b.item())]
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_records_the_loss_after_the_step",
    "The loss of a step is what the step has achieved.",
    check="train_manual",
    cause="gradient_loop.history.loss_after",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        loss = squared_error(predict(x, w, b), y)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_records_the_parameters_before_the_step",
    "A step records the parameters that its loss belongs to.",
    check="train_manual",
    cause="gradient_loop.history.parameters_before",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        history.append(Step(loss.item(), w.item(), b.item()))
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
    return history


@mutant(
    "manual_training_records_the_tensors",
    "A tensor put into a list is remembered with the value it has then.",
    check="train_manual",
    cause="value.item",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss, w, b))
    return history


@mutant(
    "manual_training_updates_w_first",
    "Each gradient is computed where it is used, so b's sees the new w.",
    check="train_manual",
    cause="gradient_loop.fit.b_after_w",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w], manual_gradients(x, y, w, b)[:1], learning_rate)
        sgd_step([b], manual_gradients(x, y, w, b)[1:], learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_stops_early",
    "Training is over once the loss hardly falls any more.",
    check="train_manual",
    cause="gradient_loop.fit.steps_missing",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
        if len(history) > 1 and abs(history[-2].loss - history[-1].loss) < 0.05:
            break
    return history


@mutant(
    "manual_training_decays_the_learning_rate",
    "Gradient descent needs a decaying learning rate.",
    check="train_manual",
    cause="gradient_loop.fit.rate_shrinks",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate / (1 + len(history)))
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_with_momentum",
    "Every real optimiser has momentum.",
    check="train_manual",
    cause="gradient_loop.fit.momentum",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        grads = manual_gradients(x, y, w, b)
        velocity = [0.9 * v + g for v, g in zip(velocity, grads)] if history else list(grads)
        sgd_step([w, b], velocity, learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_returns_plain_tuples",
    "A tuple with the same three numbers is a Step.",
    check="train_manual",
    cause="gradient_loop.history.not_a_step",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append((loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_returns_the_last_step",
    "Only where the training ends is of interest.",
    check="train_manual",
    cause="gradient_loop.history.last_alone",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history[-1:]


@mutant(
    "manual_training_returns_inside_the_loop",
    "The return may stand one level deeper.",
    check="train_manual",
    cause="gradient_loop.history.first_alone",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
        return history


@mutant(
    "manual_training_keeps_one_history_for_ever",
    "A list as a default argument is a new list in every call.",
    check="train_manual",
    cause="gradient_loop.history.one_step_each",
)
def train_manual(x, y, w, b, learning_rate, steps, history=[]):
    w, b = w.detach().clone(), b.detach().clone()
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_steps_on_the_first_point",
    "Stochastic gradient descent looks at one point per step.",
    check="train_manual",
    cause="gradient_loop.fit.point_by_point",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        i = len(history) % x.numel()
        point = x.reshape(-1)[i], y.reshape(-1)[i]
        sgd_step([w, b], manual_gradients(*point, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_takes_gradients_from_the_start",
    "The gradient is a property of the data, so it is computed once.",
    check="train_manual",
    cause="gradient_loop.fit.gradients_frozen",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    gradients = manual_gradients(x, y, w, b)
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], gradients, learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "manual_training_is_the_autograd_one",
    "Two functions with the same result may be one function.",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def train_manual(x, y, w, b, learning_rate, steps):
    return train_autograd(x, y, w, b, learning_rate, steps)
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


# --- train_autograd


@mutant(
    "autograd_accumulates",
    "backward() overwrites the gradient of the step before.",
    check="train_autograd",
    cause="gradient_loop.gradients.accumulated",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_clears_w_only",
    "Clearing one gradient clears the graph.",
    check="train_autograd",
    cause="gradient_loop.gradients.accumulated_b",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_clears_before_the_step",
    "Gradients are cleared after backward(), wherever that is.",
    check="train_autograd",
    cause="gradient_loop.fit.still",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        w.grad.zero_()
        b.grad.zero_()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_clears_the_wrong_thing",
    "detach_() on a gradient empties it.",
    check="train_autograd",
    cause="gradient_loop.gradients.accumulated",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad.detach_()
        b.grad.detach_()
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_clears_every_other_step",
    "Accumulating over two steps is as good as a larger batch.",
    check="train_autograd",
    cause="gradient_loop.fit.cleared_every_other",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        if len(history) % 2:
            w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_updates_by_a_new_tensor",
    "w = w - η·w.grad is the in-place update.",
    check="train_autograd",
    cause="raised.grad_none",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        w = w - learning_rate * w.grad
        b = b - learning_rate * b.grad
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_without_a_graph",
    "Training loops belong under no_grad, so that nothing is recorded twice.",
    check="train_autograd",
    cause="raised.no_graph",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        with torch.no_grad():
            loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_moves_the_callers_tensors",
    "detach() makes a copy.",
    check="train_autograd",
    cause="gradient_loop.copies.before_update",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().requires_grad_()
    b = b.detach().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_without_requires_grad",
    "Every tensor that takes part in a loss gets a gradient.",
    check="train_autograd",
    cause="raised.no_graph",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone()
    b = b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_never_learns_b",
    "The bias is a constant, it needs no gradient.",
    check="train_autograd",
    cause="gradient_loop.fit.w_alone",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w], [w.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_records_the_loss_tensor",
    "The loss tensor is as good as its number, and it prints the same.",
    check="train_autograd",
    cause="value.item",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss, w.item(), b.item()))
    return history


@mutant(
    "autograd_records_before_the_step",
    "A step records the parameters that its loss belongs to.",
    check="train_autograd",
    cause="gradient_loop.history.parameters_before",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        history.append(Step(loss.item(), w.item(), b.item()))
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
    return history


@mutant(
    "autograd_by_adam",
    "An optimiser is an optimiser, and Adam is the better one.",
    check="train_autograd",
    cause="gradient_loop.fit.adam",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        if not history:
            optimizer = torch.optim.Adam([w, b], lr=learning_rate)
        optimizer.step()
        optimizer.zero_grad()
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_with_momentum",
    "momentum=0.9 is part of SGD.",
    check="train_autograd",
    cause="gradient_loop.fit.momentum",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        if not history:
            optimizer = torch.optim.SGD([w, b], lr=learning_rate, momentum=0.9)
        optimizer.step()
        optimizer.zero_grad()
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_backward_twice",
    "One backward() for each parameter.",
    check="train_autograd",
    cause="gradient_loop.fit.double_steps",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward(retain_graph=True)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_leaves_gradients_with_the_caller",
    "Asking the caller's own tensors for gradients does not change them.",
    check="train_autograd",
    cause="gradient_loop.copies.before_requires_grad",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    squared_error(predict(x, w.requires_grad_(), b.requires_grad_()), y).backward()
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_sums_the_loss",
    "backward() wants a sum; the mean is only for the report.",
    check="train_autograd",
    cause="gradient_loop.fit.summed",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        ((predict(x, w, b) - y) ** 2).sum().backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


# --- agreement


@mutant(
    "manual_learning_rate_as_a_float32_tensor",
    "torch.tensor(0.05) is 0.05.",
    check="agreement",
    cause="gradient_loop.fit.first_digits",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        sgd_step([w, b], manual_gradients(x, y, w, b), torch.tensor(learning_rate))
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_rounds_its_record",
    "Eight digits are enough for a record.",
    check="agreement",
    cause="gradient_loop.fit.first_digits",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(round(loss.item(), 8), round(w.item(), 8), round(b.item(), 8)))
    return history


@mutant(
    "autograd_in_float32",
    "Parameters are float32; float64 is only for the data.",
    check="agreement",
    cause="gradient_loop.fit.first_digits",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().float().requires_grad_()
    b = b.detach().clone().float().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_epsilon_in_the_loss",
    "A small epsilon belongs into every loss, against division by zero.",
    check="agreement",
    cause="gradient_loop.fit.first_digits",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss = loss + 1e-8 * (w**2 + b**2)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


# --- asks_autograd


@mutant(
    "autograd_training_is_the_manual_one",
    "Two functions with the same result may be one function.",
    check="asks_autograd",
    cause="gradient_loop.autograd_unasked",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    return train_manual(x, y, w, b, learning_rate, steps)
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_training_with_manual_gradients",
    "requires_grad is what makes it autograd; where the numbers come from does not matter.",
    check="asks_autograd",
    cause="gradient_loop.autograd_unasked",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        w.grad, b.grad = (g.detach() for g in manual_gradients(x, y, w, b))
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "autograd_by_differences",
    "Automatic differentiation is the difference quotient, computed automatically.",
    check="asks_autograd",
    cause="gradient_loop.autograd_unasked",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w.detach().clone().requires_grad_()
    b = b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        with torch.no_grad():
            upper = (
                squared_error(predict(x, w + 0.5, b), y),
                squared_error(predict(x, w, b + 0.5), y),
            )
            lower = (
                squared_error(predict(x, w - 0.5, b), y),
                squared_error(predict(x, w, b - 0.5), y),
            )
        sgd_step([w, b], [u - v for u, v in zip(upper, lower)], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


# --- written by somebody who had not seen the checks


@mutant(
    "squeezed_prediction",
    "A prediction is a plain list of numbers, so tidy it with squeeze().",
    check="predict",
    cause="shape.squeezed_batch",
)
def predict(x, w, b):
    return (w * x + b).squeeze()


@mutant(
    "expanded_square",
    "(p - y)² expanded by the binomial formula is the same computation in floating point.",
    check="squared_error",
    cause="gradient_loop.squared_error.cancellation",
)
def squared_error(y_predicted, y):
    return (y_predicted**2).mean() - 2 * (y_predicted * y).mean() + (y**2).mean()


@mutant(
    "dot_one_dimensional",
    "mean(2·e·x) is a dot product divided by len(x).",
    check="manual_gradients",
)
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    grad_w = 2 * torch.dot(error, x) / len(x)
    grad_b = (2 * error).mean()
    return grad_w, grad_b


@mutant(
    "learning_rate_float32",
    "torch.tensor(learning_rate) is just the number.",
    check="train_manual",
    cause="value.float32",
)
def sgd_step(parameters, gradients, learning_rate):
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= torch.tensor(learning_rate) * gradient


@mutant(
    "alternating_updates",
    "Each parameter may be updated as soon as its gradient is known.",
    check="train_manual",
    cause="gradient_loop.fit.b_after_w",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        grad_w, _ = manual_gradients(x, y, w, b)
        sgd_step([w], [grad_w], learning_rate)
        _, grad_b = manual_gradients(x, y, w, b)
        sgd_step([b], [grad_b], learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "stops_on_plateau",
    "Steps after convergence are useless and may be left out.",
    check="train_manual",
    cause="gradient_loop.history.nothing_to_do",
)
def train_manual(x, y, w, b, learning_rate, steps):
    w, b = w.detach().clone(), b.detach().clone()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        if history and abs(history[-1].loss - loss.item()) < 1e-12:
            break
        sgd_step([w, b], manual_gradients(x, y, w, b), learning_rate)
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "copies_only_plain",
    "A tensor that already requires a gradient is ready to be trained and needs no copy.",
    check="train_autograd",
    cause="gradient_loop.copies.detached",
)
def train_autograd(x, y, w, b, learning_rate, steps):
    w = w if w.requires_grad else w.detach().clone().requires_grad_()
    b = b if b.requires_grad else b.detach().clone().requires_grad_()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        sgd_step([w, b], [w.grad, b.grad], learning_rate)
        w.grad = b.grad = None
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "memory_of_a_view_left_behind",
    "Assigning to .data changes a tensor in place.",
    check="sgd_step",
    cause="gradient_loop.step.memory_exchanged",
)
def sgd_step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: float
) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.data = parameter.detach() - learning_rate * gradient.detach()


@mutant(
    "copies_that_stay_connected",
    "clone() alone makes a copy that is independent.",
    check="train_autograd",
    cause="gradient_loop.copies.clone_alone",
)
def train_autograd(
    x: Tensor, y: Tensor, w: Tensor, b: Tensor, learning_rate: float, steps: int
) -> list[Step]:
    w, b = (w.clone().requires_grad_(), b.clone().requires_grad_())
    for parameter in (w, b):
        parameter.retain_grad()
    history = []
    for _ in range(steps):
        loss = squared_error(predict(x, w, b), y)
        loss.backward()
        with torch.no_grad():
            sgd_step([w, b], [w.grad, b.grad], learning_rate)
            w.grad.zero_()
            b.grad.zero_()
        history.append(Step(loss.item(), w.item(), b.item()))
    return history


@mutant(
    "gradients_clipped_at_a_hundred", "No gradient is ever larger than a hundred.", check="sgd_step"
)
def sgd_step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: float
) -> None:
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.sub_(learning_rate * gradient.clamp(-100.0, 100.0))


@mutant(
    "autograd_switched_on_at_the_end",
    "Autograd was on before, so it is switched on again.",
    check="manual_by_hand",
    cause="gradient_loop.by_hand",
)
def sgd_step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: float
) -> None:
    torch.set_grad_enabled(False)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter -= learning_rate * gradient
    torch.set_grad_enabled(True)
