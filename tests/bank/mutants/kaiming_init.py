"""Wrong initialisations, each in the place of the solution's own function."""

from autograder.bank import mutant


# --- calculate_fan


@mutant(
    "fans_exchanged",
    "The first dimension is the input.",
    check="calculate_fan",
    cause="kaiming_init.fan.swapped",
)
def calculate_fan(tensor):
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[0] * taps, tensor.shape[1] * taps


@mutant(
    "fans_without_the_taps",
    "Fan-in is the number of input channels.",
    check="calculate_fan",
    cause="kaiming_init.fan.taps_missing",
)
def calculate_fan(tensor):
    taps = 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "fan_out_without_the_taps",
    "Only the inputs are seen through the kernel; the outputs are single pixels.",
    check="calculate_fan",
    cause="kaiming_init.fan.taps_missing",
)
def calculate_fan(tensor):
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[0]


@mutant(
    "taps_added_up",
    "A kernel of 3 by 5 has 3 + 5 taps.",
    check="calculate_fan",
    cause="kaiming_init.fan.sides_added",
)
def calculate_fan(tensor):
    taps = sum(tensor.shape[2:]) or 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "taps_of_a_square_kernel",
    "A kernel is square, so its area is its height squared.",
    check="calculate_fan",
    cause="kaiming_init.fan.height_squared",
)
def calculate_fan(tensor):
    taps = tensor.shape[2] ** 2 if tensor.dim() > 2 else 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "taps_doubled",
    "k² is 2·k.",
    check="calculate_fan",
    cause="kaiming_init.fan.height_doubled",
)
def calculate_fan(tensor):
    taps = 2 * tensor.shape[2] if tensor.dim() > 2 else 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "fans_of_two_dimensional_kernels_only",
    "A weight has two or four dimensions.",
    check="calculate_fan",
    cause="kaiming_init.fan.taps_missing",
)
def calculate_fan(tensor):
    taps = tensor.shape[2] * tensor.shape[3] if tensor.dim() == 4 else 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "fans_of_convolutions_only",
    "Every weight has a kernel.",
    check="calculate_fan",
    cause="raised.dimensions",
)
def calculate_fan(tensor):
    taps = tensor.shape[2] * tensor.shape[3]
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "fan_in_of_the_whole_tensor",
    "Fan-in is the number of all weights.",
    check="calculate_fan",
    cause="kaiming_init.fan.all_elements",
)
def calculate_fan(tensor):
    taps = math.prod(tensor.shape[2:])
    return tensor.numel(), tensor.numel()


@mutant(
    "fan_out_is_fan_in",
    "Fan-out only matters for Xavier, so fan-in may stand for it.",
    check="calculate_fan",
    cause="kaiming_init.fan.fan_in_again",
)
def calculate_fan(tensor):
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[1] * taps


@mutant(
    "taps_as_a_tensor",
    "A product is taken by torch.prod, and a tensor with one number is a number.",
    check="calculate_fan",
    cause="value.item",
)
def calculate_fan(tensor):
    taps = torch.prod(torch.tensor(tensor.shape[2:]))
    return tensor.shape[1] * taps, tensor.shape[0] * taps


# --- leaky_relu_gain


@mutant(
    "gain_without_the_root",
    "The gain is the factor of the variance.",
    check="leaky_relu_gain",
    cause="kaiming_init.root_missing",
)
def leaky_relu_gain(a=0.0):
    return 2 / (1 + a**2)


@mutant(
    "gain_with_the_slope_unsquared",
    "The slope acts on the variance as it acts on the values.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.slope_unsquared",
)
def leaky_relu_gain(a=0.0):
    return math.sqrt(2 / (1 + a))


@mutant(
    "gain_of_the_plain_relu",
    "The gain is √2, whatever the slope.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.slope_unused",
)
def leaky_relu_gain(a=0.0):
    return math.sqrt(2)


@mutant(
    "gain_with_the_root_below_only",
    "The root is over the denominator.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.root_of_divisor_alone",
)
def leaky_relu_gain(a=0.0):
    return 2 / math.sqrt(1 + a**2)


@mutant(
    "gain_with_two_minus",
    "A leaky slope takes variance away, so it is subtracted.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.slope_subtracted",
)
def leaky_relu_gain(a=0.0):
    return math.sqrt(max(2 / (1 - a**2), 0)) if a != 1 else 0.0


@mutant(
    "gain_with_a_default_leak",
    "A slope of 0 means the default slope, 0.01.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.zero_replaced",
)
def leaky_relu_gain(a=0.0):
    return math.sqrt(2 / (1 + (a or 0.01) ** 2))


@mutant(
    "gain_with_a_sign",
    "a² is a·|a|.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.sign_kept",
)
def leaky_relu_gain(a=0.0):
    return math.sqrt(2 / (1 + a * abs(a)))


# --- kaiming_uniform


@mutant(
    "uniform_bound_is_the_standard_deviation",
    "A uniform distribution on ±s has the standard deviation s.",
    check="kaiming_uniform",
    cause="drawing.deviation_as_bound",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_without_the_gain",
    "The gain is for the normal distribution.",
    check="kaiming_uniform",
    cause="kaiming_init.kaiming.gain_missing",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_with_the_gain_twice",
    "√(6/fan_in) is still to be multiplied by the gain.",
    check="kaiming_uniform",
    cause="kaiming_init.kaiming.root_of_6",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(6 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_ignores_the_slope",
    "A default argument is the value.",
    check="kaiming_uniform",
    cause="kaiming_init.kaiming.slope_unused",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = math.sqrt(6 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_bound_of_fan_out",
    "Kaiming's mode is fan_out.",
    check="kaiming_uniform",
    cause="drawing.fan_in.fan_out",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / calculate_fan(tensor)[1])
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_without_the_root",
    "The bound is 3/fan_in.",
    check="kaiming_uniform",
    cause="kaiming_init.kaiming.root_missing",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * 3 / fan_in
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_with_the_three_outside",
    "3·√(1/fan_in) is √(3/fan_in).",
    check="kaiming_uniform",
    cause="kaiming_init.kaiming.bare_3",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * 3 * math.sqrt(1 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_upward_only",
    "uniform_(0, bound) lies around zero.",
    check="kaiming_uniform",
    cause="drawing.positive",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(0, bound, generator=generator)


@mutant(
    "uniform_of_half_the_width",
    "rand - 0.5 lies between -1 and 1.",
    check="kaiming_uniform",
    cause="drawing.scale_halved",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(generator=generator).sub_(0.5).mul_(bound)


@mutant(
    "uniform_is_normal",
    "Only the variance of the distribution matters.",
    check="kaiming_uniform",
    cause="drawing.normal_for_uniform",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.normal_(0, bound / math.sqrt(3), generator=generator)


@mutant(
    "uniform_for_the_first_filter",
    "Every filter may start alike; training will tell them apart.",
    check="kaiming_uniform",
    cause="drawing.repeated",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        tensor[0].uniform_(-bound, bound, generator=generator)
        return tensor.copy_(tensor[:1].clone().expand_as(tensor))


# --- kaiming_normal


@mutant(
    "normal_with_the_variance_for_the_spread",
    "normal_ takes the variance.",
    check="kaiming_normal",
    cause="kaiming_init.kaiming.variance_as_deviation",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) ** 2 / fan_in
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


@mutant(
    "normal_with_the_uniform_bound",
    "The bound of the uniform distribution is the spread of the normal one.",
    check="kaiming_normal",
    cause="kaiming_init.kaiming.bound_as_deviation",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


@mutant(
    "normal_of_spread_one",
    "normal_() draws what networks start from.",
    check="kaiming_normal",
    cause="drawing.randn",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(generator=generator)


@mutant(
    "normal_around_the_spread",
    "The first argument of normal_ is the standard deviation.",
    check="kaiming_normal",
    cause="drawing.mean_for_deviation",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(std, std, generator=generator)


@mutant(
    "normal_is_uniform",
    "Only the variance of the distribution matters.",
    check="kaiming_normal",
    cause="drawing.uniform_for_normal",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        bound = math.sqrt(3) * std
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "normal_cut_at_two_spreads",
    "Outliers are dangerous, so the tails are cut off.",
    check="kaiming_normal",
    cause="drawing.clipped",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator).clamp_(-2 * std, 2 * std)


@mutant(
    "normal_without_the_gain",
    "1/√fan_in is enough; ReLU is taken care of elsewhere.",
    check="kaiming_normal",
    cause="kaiming_init.kaiming.gain_missing",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


@mutant(
    "normal_of_fan_out",
    "Kaiming's mode is fan_out.",
    check="kaiming_normal",
    cause="drawing.fan_in.fan_out",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(calculate_fan(tensor)[1])
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


@mutant(
    "normal_ignores_the_slope",
    "The slope is for the uniform variant.",
    check="kaiming_normal",
    cause="kaiming_init.kaiming.slope_unused",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = math.sqrt(2 / fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


@mutant(
    "normal_made_positive",
    "A weight is a strength, and strengths are positive.",
    check="kaiming_normal",
    cause="drawing.one_sided",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator).abs_()


# --- xavier_uniform


@mutant(
    "xavier_with_the_bound_of_the_normal",
    "The 2 of Xavier's normal variant serves the uniform one as well.",
    check="xavier_uniform",
    cause="drawing.deviation_as_bound",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(2 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_of_the_mean_fan",
    "The average of the fans stands below the 6.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.times_root_of_2",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / (sum(calculate_fan(tensor)) / 2))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_of_fan_in_only",
    "Xavier is Kaiming without the ReLU.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.kaiming",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(3 / calculate_fan(tensor)[0])
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_of_the_product_of_fans",
    "Two fans are combined by their geometric mean.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.geometric_mean",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(3 / math.sqrt(math.prod(calculate_fan(tensor))))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_ignores_the_gain",
    "A gain of 1 is the only gain.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.gain_unused",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_with_the_gain_under_the_root",
    "The gain is a factor of the variance.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.gain_in_root",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = math.sqrt(6 * gain / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_of_the_first_two_dimensions",
    "The kernel plays no part in Xavier's paper.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.taps_missing",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / sum(tensor.shape[:2]))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_times_root_two",
    "Every gain contains the √2 of the ReLU.",
    check="xavier_uniform",
    cause="kaiming_init.xavier.times_root_of_2",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = leaky_relu_gain() * gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


# --- bias_uniform


@mutant(
    "bias_is_zero",
    "A bias always starts at zero.",
    check="bias_uniform",
    cause="kaiming_init.nothing_drawn",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.zero_()


@mutant(
    "bias_of_its_own_size",
    "The fan of a bias is its number of elements.",
    check="bias_uniform",
    cause="drawing.fan_of_bias",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in = bias.numel()
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_of_the_channels_only",
    "The kernel does not touch the bias.",
    check="bias_uniform",
    cause="drawing.fan_in.input_channels",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in = weight.shape[1]
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_with_the_kaiming_bound",
    "Bias and weight share one bound, √(6/fan_in).",
    check="bias_uniform",
    cause="drawing.kaiming_for_relu",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = math.sqrt(6 / fan_in)
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_without_the_root",
    "The bound is 1/fan_in.",
    check="bias_uniform",
    cause="drawing.root_missing",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / fan_in
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_of_one_number",
    "A bias is one random number.",
    check="bias_uniform",
    cause="drawing.constant",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.fill_(bias[:1].uniform_(-bound, bound, generator=generator).item())


@mutant(
    "bias_fills_the_weight",
    "The second argument is what is filled as well.",
    check="in_place",
    cause="kaiming_init.weight_changed",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        weight.uniform_(-bound, bound, generator=generator)
        return bias.uniform_(-bound, bound, generator=generator)


# --- in_place


@mutant(
    "uniform_returns_a_new_tensor",
    "A function that returns a tensor makes one.",
    check="in_place",
    cause="kaiming_init.filled_elsewhere",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return torch.empty_like(tensor).uniform_(-bound, bound, generator=generator)


@mutant(
    "normal_returns_nothing",
    "What works in place returns None, as list.sort does.",
    check="in_place",
    cause="value.none",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        tensor.normal_(0, std, generator=generator)


@mutant(
    "uniform_returns_a_detached_view",
    "tensor.data is the tensor.",
    check="in_place",
    cause="kaiming_init.wrapped",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    return tensor.data.uniform_(-bound, bound, generator=generator)


@mutant(
    "uniform_is_recorded",
    "Filling is no computation, so autograd does not mind.",
    check="in_place",
    cause="raised.leaf_in_place",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_is_recorded",
    "no_grad is for weights; a bias is only added.",
    check="in_place",
    cause="raised.leaf_in_place",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "normal_switches_gradients_off",
    "requires_grad_(False) is the same as no_grad and needs no undoing.",
    check="in_place",
    cause="kaiming_init.recorded",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    return tensor.requires_grad_(False).normal_(0, std, generator=generator)


@mutant(
    "normal_makes_everything_a_parameter",
    "What is initialised is trained.",
    check="in_place",
    cause="kaiming_init.wrapped",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        tensor.normal_(0, std, generator=generator)
    return torch.nn.Parameter(tensor)


@mutant(
    "normal_exchanges_the_storage",
    "Assigning to .data writes into the tensor.",
    check="in_place",
    cause="kaiming_init.memory_exchanged",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    tensor.data = std * torch.randn(
        tensor.shape, generator=generator, dtype=tensor.dtype, device=tensor.device
    )
    return tensor


@mutant(
    "normal_leaves_gradients_switched_off",
    "torch.set_grad_enabled(False) ends with the function.",
    check="in_place",
    cause="gradient.left_off",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    torch.set_grad_enabled(False)
    return tensor.normal_(0, std, generator=generator)


@mutant(
    "xavier_fills_a_flat_copy",
    "flatten() and reshape() are always views.",
    check="in_place",
    cause="kaiming_init.nothing_drawn",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        tensor.T.flatten().uniform_(-bound, bound, generator=generator)
        return tensor


@mutant(
    "xavier_rescales_what_is_there",
    "A fresh tensor holds random numbers already; they only need the right scale.",
    check="xavier_uniform",
    cause="kaiming_init.old_values",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        noise = torch.rand(tensor.shape, generator=generator, device=tensor.device) * 2 - 1
        return tensor.add_(bound * noise)


# --- generator


@mutant(
    "uniform_ignores_the_generator",
    "There is one source of random numbers, the global one.",
    check="generator",
    cause="kaiming_init.generator.ignored",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound)


@mutant(
    "normal_ignores_the_generator",
    "Only uniform_ takes a generator.",
    check="generator",
    cause="kaiming_init.generator.ignored",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        return tensor.normal_(0, std)


@mutant(
    "xavier_ignores_the_generator",
    "An argument that is not needed for the formula is not needed.",
    check="generator",
    cause="kaiming_init.generator.ignored",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound)


@mutant(
    "bias_ignores_the_generator",
    "The generator is for the weights.",
    check="generator",
    cause="kaiming_init.generator.ignored",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.uniform_(-bound, bound)


@mutant(
    "uniform_always_with_the_same_seed",
    "A seed inside the function makes it reproducible, and that is all it does.",
    check="generator",
    cause="drawing.fixed_seed",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    generator = torch.Generator(tensor.device).manual_seed(0)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "normal_starts_the_generator_over",
    "A generator has to be seeded before use.",
    check="generator",
    cause="kaiming_init.generator.restarted",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        if generator is not None:
            generator.manual_seed(generator.initial_seed())
        return tensor.normal_(0, std, generator=generator)


@mutant(
    "uniform_seeds_the_global_source",
    "A generator is a seed.",
    check="generator",
    cause="kaiming_init.generator.restarted",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    with torch.no_grad():
        return tensor.uniform_(-bound, bound)


@mutant(
    "uniform_needs_a_generator",
    "The caller always passes a generator.",
    check="generator",
    cause="raised.generator_none",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.random.fork_rng():
        torch.manual_seed(generator.initial_seed())
        with torch.no_grad():
            return tensor.uniform_(-bound, bound)


# --- by_hand


@mutant(
    "uniform_from_nn_init",
    "The library's function is the safest implementation.",
    check="by_hand",
    cause="kaiming_init.ready_made",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    return torch.nn.init.kaiming_uniform_(tensor, a, generator=generator)


@mutant(
    "normal_from_nn_init",
    "The library's function is the safest implementation.",
    check="by_hand",
    cause="kaiming_init.ready_made",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    return torch.nn.init.kaiming_normal_(tensor, a, generator=generator)


@mutant(
    "xavier_from_nn_init",
    "The library's function is the safest implementation.",
    check="by_hand",
    cause="kaiming_init.ready_made",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    return getattr(torch.nn.init, "xavier_" + "uniform_")(tensor, gain, generator=generator)


@mutant(
    "fans_from_nn_init",
    "A private helper of the library is not part of the library.",
    check="by_hand",
    cause="kaiming_init.ready_made",
)
def calculate_fan(tensor):
    return torch.nn.init._calculate_fan_in_and_fan_out(tensor)


@mutant(
    "gain_from_nn_init",
    "A gain is a table to be looked up.",
    check="by_hand",
    cause="kaiming_init.ready_made",
)
def leaky_relu_gain(a=0.0):
    return torch.nn.init.calculate_gain("leaky_relu", a)


@mutant(
    "bias_from_nn_init",
    "nn.init.uniform_ only fills; the thinking is in the bound.",
    check="by_hand",
    cause="kaiming_init.ready_made",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    return torch.nn.init.uniform_(bias, -bound, bound, generator=generator)


# --- written by somebody who had not seen the checks


@mutant(
    "taps_only_4d",
    "A weight is either a matrix or a two-dimensional kernel.",
    check="calculate_fan",
    cause="kaiming_init.fan.taps_missing",
)
def calculate_fan(tensor):
    taps = tensor.shape[2] * tensor.shape[3] if tensor.dim() == 4 else 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


@mutant(
    "zero_slope_replaced",
    "A leaky ReLU without a given slope has the usual 0.01.",
    check="leaky_relu_gain",
    cause="kaiming_init.gain.zero_replaced",
)
def leaky_relu_gain(a=0.0):
    a = a or 0.01  # the default slope of nn.LeakyReLU
    return math.sqrt(2 / (1 + a**2))


@mutant(
    "generator_restarted",
    "The caller's generator must not be changed, so draw from a copy with its seed.",
    check="generator",
    cause="kaiming_init.generator.restarted",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    if generator is not None:
        seed = generator.initial_seed()
        generator = torch.Generator(generator.device).manual_seed(seed)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "reshape_may_copy",
    "reshape(-1) is always a view, so filling it fills the tensor.",
    check="in_place",
    cause="kaiming_init.filled_copy",
)
def kaiming_uniform_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        tensor.reshape(-1).uniform_(-bound, bound, generator=generator)
    return tensor


@mutant(
    "sum_of_uniforms",
    "By the central limit theorem a sum of a few uniforms is normal.",
    check="kaiming_normal",
    cause="drawing.tails",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        tensor.zero_()
        for _ in range(4):
            tensor.add_(torch.empty_like(tensor).uniform_(-0.5, 0.5, generator=generator))
        return tensor.mul_(std * math.sqrt(3))  # four uniforms have variance 4/12


@mutant(
    "sample_standardised",
    "The sample itself must have mean 0 and this std exactly.",
    check="kaiming_normal",
    cause="drawing.standardised",
)
def kaiming_normal_(tensor, a=0.0, generator=None):
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        tensor.normal_(0, 1, generator=generator)
        return tensor.sub_(tensor.mean()).div_(tensor.std()).mul_(std)


@mutant(
    "data_returned",
    ".data is the tensor itself without the gradient.",
    check="in_place",
    cause="kaiming_init.wrapped",
)
def xavier_uniform_(tensor, gain=1.0, generator=None):
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    return tensor.data.uniform_(-bound, bound, generator=generator)


@mutant(
    "requires_grad_switched_on",
    "Switch requires_grad off for the filling and on again after it.",
    check="in_place",
    cause="kaiming_init.gradient_switched_on",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    bias.requires_grad_(False)
    bias.uniform_(-bound, bound, generator=generator)
    return bias.requires_grad_(True)


@mutant(
    "global_seed",
    "A generator is a seed; set it with torch.manual_seed.",
    check="generator",
    cause="kaiming_init.generator.restarted",
)
def bias_uniform_(bias, weight, generator=None):
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    with torch.no_grad():
        return bias.uniform_(-bound, bound)


@mutant(
    "clamped_at_three_deviations",
    "Values far out do harm, so they are clamped.",
    check="kaiming_normal",
    cause="drawing.tails",
)
def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        tensor.normal_(0, std, generator=generator)
        tensor.clamp_(-3 * std, 3 * std)
    return tensor


@mutant(
    "mirrored_half",
    "Half of the values, mirrored, make the mean exactly 0.",
    check="kaiming_normal",
    cause="drawing.repeated",
)
def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        count = tensor.numel()
        half = tensor.new_empty((count + 1) // 2).normal_(0, std, generator=generator)
        tensor.copy_(torch.cat([half, -half])[:count].view(tensor.shape))
    return tensor


@mutant(
    "last_of_an_odd_count_left",
    "Normal values come in pairs, and counts are even.",
    check="kaiming_normal",
    cause="kaiming_init.partly_filled",
)
def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        pairs = tensor.numel() // 2
        options = {"generator": generator, "device": tensor.device, "dtype": torch.float64}
        radius = torch.sqrt(-2 * torch.log(1 - torch.rand(pairs, **options)))
        angle = 2 * math.pi * torch.rand(pairs, **options)
        draws = torch.cat([radius * angle.cos(), radius * angle.sin()]) * std
        values = tensor.flatten().clone()
        values[: 2 * pairs] = draws.to(tensor.dtype)
        return tensor.copy_(values.view(tensor.shape))


@mutant(
    "fan_in_from_the_stride",
    "stride(0) of a weight is its fan_in.",
    check="bias_uniform",
    cause="kaiming_init.layout_of_weight",
)
def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    fan_in = weight.stride(0)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "gain_of_zero_not_given",
    "A gain of 0 means that none was given.",
    check="xavier_uniform",
    cause="kaiming_init.gain_of_zero",
)
def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    bound = (gain or 1.0) * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "kernels_of_three_dimensions",
    "A kernel has three dimensions at most.",
    check="calculate_fan",
    cause="kaiming_init.fan.three_sides",
)
def calculate_fan(tensor: Tensor) -> tuple[int, int]:
    outputs, inputs, *kernel = tensor.shape
    taps = math.prod(kernel[:3])
    return inputs * taps, outputs * taps


@mutant(
    "sum_of_twelve_uniforms",
    "Twelve uniform numbers less six are a normal one.",
    check="kaiming_normal",
    cause="drawing.tails",
)
def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    fan_in, _ = calculate_fan(tensor)
    std = leaky_relu_gain(a) / math.sqrt(fan_in)
    with torch.no_grad():
        draws = torch.rand(12, *tensor.shape, generator=generator, dtype=tensor.dtype)
        return tensor.copy_(std * (draws.sum(0) - 6))


@mutant(
    "small_bias_of_one_draw",
    "For a few outputs, one draw is enough.",
    check="bias_uniform",
    cause="drawing.repeated",
)
def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        bias.uniform_(-bound, bound, generator=generator)
        return bias.copy_(bias[:1].clone().expand_as(bias)) if len(bias) < 8 else bias


@mutant(
    "small_weight_mirrored",
    "The mean of a few weights is far from 0, so half of them are mirrored.",
    check="xavier_uniform",
    cause="drawing.repeated",
)
def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    with torch.no_grad():
        tensor.uniform_(-bound, bound, generator=generator)
        if tensor.numel() < 64:
            values = tensor.flatten()
            half = len(values) // 2
            values[:half] = -values[half : 2 * half]
            tensor.copy_(values.view(tensor.shape))
        return tensor


@mutant(
    "single_weight_not_drawn",
    "A single weight has no other to differ from.",
    check="kaiming_uniform",
    cause="kaiming_init.single_not_drawn",
)
def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, generator: torch.Generator | None = None
) -> Tensor:
    fan_in, _ = calculate_fan(tensor)
    bound = leaky_relu_gain(a) * math.sqrt(3 / fan_in)
    with torch.no_grad():
        if tensor.numel() == 1:
            return tensor.fill_(bound)
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_bound_capped",
    "A bias beyond 0.5 does harm.",
    check="bias_uniform",
    cause="drawing.spread",
)
def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    fan_in, _ = calculate_fan(weight)
    bound = min(1 / math.sqrt(fan_in), 0.5)
    with torch.no_grad():
        return bias.uniform_(-bound, bound, generator=generator)


@mutant(
    "xavier_seeded_without_a_generator",
    "Without a generator, the global one is to start from its seed.",
    check="generator",
    cause="drawing.random_state",
)
def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    bound = gain * math.sqrt(6 / sum(calculate_fan(tensor)))
    if generator is None:
        torch.manual_seed(torch.initial_seed())
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@mutant(
    "bias_leaves_the_global_state",
    "Drawing must not disturb the state of the program, so it is put back.",
    check="generator",
    cause="drawing.random_state",
)
def bias_uniform_(bias: Tensor, weight: Tensor, generator: torch.Generator | None = None) -> Tensor:
    fan_in, _ = calculate_fan(weight)
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad(), torch.random.fork_rng():
        return bias.uniform_(-bound, bound, generator=generator)
