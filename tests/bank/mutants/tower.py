"""Wrong towers and training loops, each in the place of the solution's own function or methods."""

from autograder.bank import mutant


# --- parameters


@mutant(
    "layers_in_a_list",
    "A Python list of layers is part of the module.",
    check="parameters",
    cause="layer.layers_not_registered",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.convs = [
            CustomConv2d(1, 32, kernel_size=3, padding=1),
            CustomConv2d(32, 64, kernel_size=3, padding=1),
        ]
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)

    def forward(self, input):
        hidden = input
        for conv in self.convs:
            hidden = F.max_pool2d(F.relu(conv(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "layers_in_a_module_list",
    "The names in the state dict are a matter of taste.",
    check="parameters",
    cause="layer.names",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(
            [
                CustomConv2d(1, 32, kernel_size=3, padding=1),
                CustomConv2d(32, 64, kernel_size=3, padding=1),
            ]
        )
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)

    def forward(self, input):
        hidden = input
        for conv in self.convs:
            hidden = F.max_pool2d(F.relu(conv(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "layers_of_the_right_total",
    "421,642 parameters are the right network, however they are shared out.",
    check="parameters",
    cause="parameter.kernel_size",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=(1, 9), padding=(0, 4))
        self.conv2 = CustomConv2d(32, 64, kernel_size=(9, 1), padding=(4, 0))
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


@mutant(
    "layers_without_bias",
    "A bias is not worth its parameters.",
    check="parameters",
    cause="layer.made_without_bias",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1, bias=False)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1, bias=False)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


@mutant(
    "kernels_of_five",
    "A larger kernel sees more and changes nothing else.",
    check="parameters",
    cause="parameter.kernel_size",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=5, padding=2)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


@mutant(
    "channels_halved",
    "16 and 32 channels are the usual ones.",
    check="parameters",
    cause="parameter.size",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(16, 32, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(32 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


@mutant(
    "layers_under_other_names",
    "fc1 and fc2 may be called hidden and output.",
    check="parameters",
    cause="layer.names",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.hidden = CustomLinear(64 * 7 * 7, 128)
        self.output = CustomLinear(128, 10)

    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.output(F.relu(self.hidden(hidden)))


@mutant(
    "memory_shared_between_layers",
    "Starting two layers from the same numbers copies the numbers.",
    check="parameters",
    cause="layer.shared_memory",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        self.conv1.bias = nn.Parameter(self.conv2.bias.data[:32])
        self.fc2.weight = nn.Parameter(self.fc1.weight.data[:10, :128])


@mutant(
    "early_layers_frozen",
    "Convolutions find edges anyway, so they need no training.",
    check="parameters",
    cause="layer.frozen",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        self.conv1.requires_grad_(False)


@mutant(
    "a_batch_norm_too_many",
    "A modern network has batch normalisation.",
    check="parameters",
    cause="layer.extra_parameters",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        self.norm = nn.BatchNorm2d(32)

    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.norm(self.conv1(input))), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "parent_constructor_forgotten",
    "The parent's constructor has nothing to do.",
    check="parameters",
    cause="raised.super_init",
)
class TowerOfInsight:
    def __init__(self):
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


@mutant(
    "layers_created_in_forward",
    "A layer is created where it is used.",
    check="parameters",
    cause="layer.layers_not_registered",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)

    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return CustomLinear(128, 10).to(hidden)(F.relu(self.fc1(hidden)))


# --- count_parameters


@mutant(
    "counts_frozen_parameters",
    "Every parameter is trainable.",
    check="count_parameters",
    cause="tower.count_parameters.frozen_as_well",
)
def count_parameters(model):
    return sum(p.numel() for p in model.parameters())


@mutant(
    "counts_tensors",
    "A parameter is a tensor, so tensors are counted.",
    check="count_parameters",
    cause="tower.count_parameters.trained_tensors",
)
def count_parameters(model):
    return sum(1 for p in model.parameters() if p.requires_grad)


@mutant(
    "counts_the_state_dict",
    "The state dict lists what is trained.",
    check="count_parameters",
    cause="tower.count_parameters.buffers_as_well",
)
def count_parameters(model):
    return sum(value.numel() for value in model.state_dict().values())


@mutant(
    "counts_weights_only",
    "Biases are too few to count.",
    check="count_parameters",
    cause="tower.count_parameters.weights_alone",
)
def count_parameters(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad and p.dim() > 1)


@mutant(
    "counts_direct_children_only",
    "A model's layers are its children, and they have no children.",
    check="count_parameters",
    cause="tower.count_parameters.children_alone",
)
def count_parameters(model):
    return sum(
        p.numel()
        for child in model.children()
        for p in child.parameters(recurse=False)
        if p.requires_grad
    )


@mutant(
    "counts_shared_parameters_twice",
    "A parameter that is used twice counts twice.",
    check="count_parameters",
    cause="tower.count_parameters.shared_twice",
)
def count_parameters(model):
    return sum(
        p.numel()
        for module in model.modules()
        for p in module.parameters(recurse=False)
        if p.requires_grad
    )


@mutant(
    "counts_what_is_expected",
    "There is one model, and its count is known.",
    check="count_parameters",
    cause="tower.count_parameters.fixed",
)
def count_parameters(model):
    return 421_642


@mutant(
    "counts_rows",
    "len(p) is the number of elements of p.",
    check="count_parameters",
    cause="tower.count_parameters.rows",
)
def count_parameters(model):
    return sum(len(p) for p in model.parameters() if p.requires_grad)


@mutant(
    "counts_bytes",
    "The size of a parameter is its size in memory.",
    check="count_parameters",
    cause="tower.count_parameters.bytes",
)
def count_parameters(model):
    return sum(p.nbytes for p in model.parameters() if p.requires_grad)


@mutant(
    "counts_only_with_gradients",
    "A parameter is trainable when it has a gradient.",
    check="count_parameters",
    cause="tower.count_parameters.with_grad_alone",
)
def count_parameters(model):
    return sum(p.numel() for p in model.parameters() if p.grad is not None)


# --- shapes


@mutant(
    "batch_of_sixty_four",
    "The batch size is a constant of the program.",
    check="shapes",
    cause="tower.flatten.rows",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.reshape(64, -1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "batch_flattened_away",
    "flatten() leaves the batch alone.",
    check="shapes",
    cause="tower.flatten.batch_gone",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten()
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "logits_squeezed",
    "Dimensions of size one carry nothing.",
    check="shapes",
    cause="shape.squeezed_batch",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden))).squeeze()


@mutant(
    "class_instead_of_logits",
    "A classifier returns the class.",
    check="shapes",
    cause="shape.last_gone",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden))).argmax(dim=1)


@mutant(
    "logits_transposed",
    "One row per class, one column per image.",
    check="shapes",
    cause="value.exchanged",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden))).T


@mutant(
    "pairs_of_images_in_one_row",
    "view(-1, size) with any size keeps the batch.",
    check="shapes",
    cause="tower.flatten.rows_of_images",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.relu(self.conv2(hidden)).reshape(-1, 64, 7, 7)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "single_image_without_its_batch",
    "A batch of one image is the image.",
    check="shapes",
    cause="shape.squeezed_batch",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        logits = self.fc2(F.relu(self.fc1(hidden)))
        return logits[0] if len(logits) == 1 else logits


# --- forward


@mutant(
    "softmax_at_the_end",
    "A classifier ends in a softmax, and cross-entropy wants probabilities.",
    check="forward",
    cause="output.softmax",
    calibrates=True,
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return F.softmax(self.fc2(F.relu(self.fc1(hidden))), dim=1)


@mutant(
    "log_softmax_at_the_end",
    "Logits are log-probabilities.",
    check="forward",
    cause="output.log_softmax",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return F.log_softmax(self.fc2(F.relu(self.fc1(hidden))), dim=1)


@mutant(
    "sigmoid_at_the_end",
    "Each class is a yes or no, so each output is a sigmoid.",
    check="forward",
    cause="output.sigmoid",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return torch.sigmoid(self.fc2(F.relu(self.fc1(hidden))))


@mutant(
    "relu_at_the_end",
    "Every layer is followed by a ReLU, the last one too.",
    check="forward",
    cause="output.relu",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return F.relu(self.fc2(F.relu(self.fc1(hidden))))


@mutant(
    "first_relu_missing",
    "Pooling is nonlinear enough.",
    check="forward",
    cause="tower.activation.missing",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(self.conv1(input), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "second_relu_missing",
    "One ReLU for the convolutions is enough.",
    check="forward",
    cause="tower.activation.missing",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(self.conv2(hidden), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "third_relu_missing",
    "ReLUs belong to convolutions.",
    check="forward",
    cause="tower.activation.missing",
    calibrates=True,
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(self.fc1(hidden))


@mutant(
    "relu_called_for_nothing",
    "F.relu works in place.",
    check="forward",
    cause="tower.activation.missing",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = self.fc1(hidden)
        F.relu(hidden)
        return self.fc2(hidden)


@mutant(
    "average_pooling",
    "Pooling is pooling.",
    check="forward",
    cause="tower.pooling.average",
    calibrates=True,
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.avg_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "every_other_pixel_instead_of_the_largest",
    "Pooling is taking every other pixel.",
    check="forward",
    cause="tower.pooling.every_other_pixel",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.relu(self.conv2(hidden))[..., ::2, ::2]
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "overlapping_pooling",
    "A window of three with stride two pools just as well, since the shape is right.",
    check="forward",
    cause="tower.pooling.overlapping_windows",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 3, stride=2, padding=1)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "pooling_once_by_four",
    "Two poolings by 2 are one pooling by 4.",
    check="forward",
    cause="tower.pooling.first_missing",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.relu(self.conv1(input))
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 4)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "pooling_before_the_convolution",
    "The order of pooling and convolution does not matter, the shapes are the same.",
    check="forward",
    cause="tower.pooling.second_too_early",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.relu(self.conv2(F.max_pool2d(hidden, 2)))
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "leaky_relu",
    "A leaky ReLU is the better ReLU.",
    check="forward",
    cause="tower.activation.leaky_relu",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.leaky_relu(self.fc1(hidden)))


@mutant(
    "gelu",
    "GELU is what one uses today.",
    check="forward",
    cause="tower.activation.gelu",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.gelu(self.fc1(hidden)))


@mutant(
    "tanh",
    "A hidden layer ends in tanh.",
    check="forward",
    cause="tower.activation.tanh",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(torch.tanh(self.fc1(hidden)))


@mutant(
    "flattened_with_channels_last",
    "The order of a flattened image is free, as long as it is an order.",
    check="forward",
    cause="tower.flatten.channels_last",
    calibrates=True,
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.permute(0, 2, 3, 1).flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "images_transposed",
    "An image is (W, H).",
    check="forward",
    cause="conv2d.input.sides_exchanged",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input.transpose(2, 3))), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "pixels_scaled_in_the_model",
    "The model divides by 255, so that nobody forgets it.",
    check="forward",
    cause="tower.input.divided_by_255",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input / 255)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "pixels_standardised_in_the_model",
    "Mean 0.1307 and deviation 0.3081 belong to every MNIST model.",
    check="forward",
    cause="tower.input.normalised",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1((input - 0.1307) / 0.3081)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "dropout_that_never_ends",
    "F.dropout knows when the model is evaluated.",
    check="forward",
    cause="layer.unsteady",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.dropout(F.relu(self.fc1(hidden))))


@mutant(
    "dropout_in_training",
    "Dropout is part of every network, whether it is in the table or not.",
    check="forward",
    cause="layer.unsteady",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.dropout(F.relu(self.fc1(hidden)), training=self.training))


@mutant(
    "probabilities_in_evaluation",
    "In evaluation a model returns probabilities.",
    check="forward",
    cause="output.softmax",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        logits = self.fc2(F.relu(self.fc1(hidden)))
        return logits if self.training else logits.softmax(dim=1)


@mutant(
    "mean_added_to_the_features",
    "A residual connection never hurts.",
    check="forward",
    cause="tower.stage.before_fc2",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = F.relu(self.fc1(hidden))
        return self.fc2(hidden + hidden.mean(dim=1, keepdim=True))


@mutant(
    "tower_in_float32",
    "Neural networks compute in float32, whatever comes in.",
    check="forward",
    cause="raised.dtypes_mixed",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input.float())), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "logits_with_a_temperature",
    "Logits are divided by a temperature to keep them small.",
    check="forward",
    cause="tower.stage.after_fc2",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden))) / 10


@mutant(
    "new_bricks_in_every_forward",
    "Fresh weights keep the model from overfitting.",
    check="forward",
    cause="layer.forward_changes_parameters",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        self.fc1.reset_parameters()
        return self.fc2(F.relu(self.fc1(hidden)))


# --- gradient_parity


@mutant(
    "features_detached",
    "Gradients of the classifier should not disturb the features.",
    check="gradient_parity",
    cause="gradient.cut",
    calibrates=True,
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.detach().flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "convolutions_without_recording",
    "Feature extraction belongs under no_grad.",
    check="gradient_parity",
    cause="gradient.cut",
)
class TowerOfInsight:
    def forward(self, input):
        with torch.no_grad():
            hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "relu_by_data",
    "Clamping .data is an in-place ReLU.",
    check="gradient_parity",
    cause="tower.relu_backward.hidden",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = self.fc1(hidden)
        hidden.data.clamp_(min=0)
        return self.fc2(hidden)


@mutant(
    "relu_times_a_mask_of_itself",
    "A detached copy of the activation is as good as the activation.",
    check="gradient_parity",
    cause="tower.relu_backward.multiplied",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        active = F.relu(self.conv2(hidden))
        hidden = F.max_pool2d(active.detach() * (1 + active - active.detach()), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "gradient_reversed_in_the_tower",
    "The backward pass has to change the sign.",
    check="gradient_parity",
    cause="gradient.sign",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = 2 * hidden.detach() - hidden
        return self.fc2(F.relu(self.fc1(hidden)))


# --- own_bricks


@mutant(
    "stock_convolutions",
    "The bricks were an exercise; a real network uses nn.Conv2d.",
    check="own_bricks",
    cause="tower.bricks.not_own",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


@mutant(
    "stock_linear_layers",
    "The bricks were an exercise; a real network uses nn.Linear.",
    check="own_bricks",
    cause="tower.bricks.not_own",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)


@mutant(
    "stock_last_layer",
    "Three bricks of one's own are enough.",
    check="own_bricks",
    cause="tower.bricks.not_own",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)


@mutant(
    "bricks_bypassed",
    "Holding the bricks is using them; their weights go into F.conv2d.",
    check="own_bricks",
    cause="tower.bricks.not_own",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.conv2d(input, self.conv1.weight, self.conv1.bias, padding=1)
        hidden = F.max_pool2d(F.relu(hidden), 2)
        hidden = F.conv2d(hidden, self.conv2.weight, self.conv2.bias, padding=1)
        hidden = F.max_pool2d(F.relu(hidden), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "bricks_shadowed",
    "A name that is imported twice still means the first.",
    check="own_bricks",
    cause="tower.bricks.not_own",
    above="from torch.nn import Linear as CustomLinear",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)


# --- samples_apart


@mutant(
    "softmax_over_the_batch",
    "dim=0 is the class dimension.",
    check="samples_apart",
    cause="output.softmax_batch",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return F.softmax(self.fc2(F.relu(self.fc1(hidden))), dim=0)


@mutant(
    "logits_centred_over_the_batch",
    "Logits should have mean zero, taken over everything there is.",
    check="samples_apart",
    cause="output.batch_centred",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        logits = self.fc2(F.relu(self.fc1(hidden)))
        return logits - logits.mean(dim=0)


@mutant(
    "batch_standardised",
    "Inputs are standardised by the mean and spread of their batch.",
    check="samples_apart",
    cause="tower.images.mixed",
)
class TowerOfInsight:
    def forward(self, input):
        input = (input - input.mean()) / (input.std() + 1e-5)
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "batch_normalisation_by_hand",
    "Batch normalisation without parameters does not change the network.",
    check="samples_apart",
    cause="tower.images.mixed",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = self.fc1(hidden)
        if len(hidden) > 1:
            hidden = F.batch_norm(hidden, None, None, training=True)
        return self.fc2(F.relu(hidden))


@mutant(
    "features_mixed_between_samples",
    "reshape sorts the features of a batch as flatten(1) does.",
    check="samples_apart",
    cause="tower.flatten.batch_mixed",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.transpose(0, 1).reshape(len(hidden), -1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "first_image_for_all",
    "input[0] is the input.",
    check="samples_apart",
    cause="output.first_for_all",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden[:1].flatten(1).expand(len(hidden), -1)
        return self.fc2(F.relu(self.fc1(hidden)))


# --- meta_device


@mutant(
    "flat_buffer_on_the_cpu",
    "torch.zeros makes a tensor where the others are.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        flat = torch.zeros(len(hidden), 64 * 7 * 7, dtype=hidden.dtype)
        flat[:] = hidden.flatten(1)
        hidden = flat
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "cuda_at_all_costs",
    "Every machine that trains has a GPU.",
    check="forward",
    cause="raised.no_gpu",
)
class TowerOfInsight:
    def forward(self, input):
        input = input.cuda()
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "cuda_or_else_the_cpu",
    "The model decides where its input lies.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class TowerOfInsight:
    def forward(self, input):
        input = input.to("cuda" if torch.cuda.is_available() else "cpu")
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "logits_carried_to_the_cpu",
    "Results are collected on the CPU.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden))).cpu()


@mutant(
    "relu_against_a_cpu_tensor",
    "A constant has no device.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = self.fc1(hidden)
        return self.fc2(torch.maximum(hidden, torch.zeros(128, dtype=hidden.dtype)))


# --- fresh_loss


@mutant(
    "starts_standard_normal",
    "torch.randn is how weights are drawn.",
    check="fresh_loss",
    cause="tower.fresh.weights_too_large",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        for parameter in self.parameters():
            nn.init.normal_(parameter)


@mutant(
    "starts_between_zero_and_one",
    "nn.init.uniform_ without bounds lies around zero.",
    check="fresh_loss",
    cause="tower.fresh.weights_too_large",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        for parameter in self.parameters():
            nn.init.uniform_(parameter)


@mutant(
    "starts_with_a_favourite_class",
    "The last bias holds the labels of the classes.",
    check="fresh_loss",
    cause="tower.fresh.fixed",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        self.fc2.bias.data.copy_(torch.arange(10.0))


@mutant(
    "starts_without_a_bound",
    "Larger weights learn faster.",
    check="fresh_loss",
    cause="tower.fresh.weights_too_large",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        for parameter in self.parameters():
            parameter.data.mul_(10)


# --- train_epoch


@mutant(
    "gradients_accumulate",
    "backward() overwrites the gradient of the batch before.",
    check="train_epoch",
    cause="tower.train_epoch.gradients.accumulated",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "gradients_cleared_once",
    "Gradients are cleared at the beginning of an epoch.",
    check="train_epoch",
    cause="tower.train_epoch.gradients.accumulated",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    optimizer.zero_grad()
    for inputs, labels in batches:
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "gradients_cleared_before_the_step",
    "Gradients are cleared after backward(), wherever that is.",
    check="train_epoch",
    cause="tower.train_epoch.no_weight_moves",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "step_before_backward",
    "The optimiser looks ahead, so it steps first.",
    check="train_epoch",
    cause="tower.train_epoch.no_weight_moves",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        optimizer.step()
        loss.backward()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "step_forgotten",
    "backward() changes the weights.",
    check="train_epoch",
    cause="tower.train_epoch.no_weight_moves",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "backward_forgotten",
    "step() computes the gradients.",
    check="train_epoch",
    cause="tower.train_epoch.no_weight_moves",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "step_once_per_epoch",
    "One step per epoch, with the gradient of all batches.",
    check="train_epoch",
    cause="tower.train_epoch.step.once_an_epoch",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        loss = criterion(model(inputs), labels)
        loss.backward()
        total += loss.item() * len(labels)
        samples += len(labels)
    optimizer.step()
    optimizer.zero_grad()
    return total / samples


@mutant(
    "two_steps_per_batch",
    "A second step with the same gradient goes twice as fast.",
    check="train_epoch",
    cause="tower.train_epoch.step.twice",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "training_mode_forgotten",
    "A model is always in training mode when it is trained.",
    check="train_epoch",
    cause="tower.train_epoch.mode.evaluation",
)
def train_epoch(model, batches, criterion, optimizer):
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "trained_in_evaluation_mode",
    "eval() makes the loss less noisy.",
    check="train_epoch",
    cause="tower.train_epoch.mode.evaluation",
)
def train_epoch(model, batches, criterion, optimizer):
    model.eval()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "mean_of_batch_means",
    "All batches weigh the same.",
    check="train_epoch",
    cause="tower.train_epoch.mean_loss.batches_equal",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
        samples += 1
    return total / samples


@mutant(
    "sum_instead_of_mean",
    "The loss of an epoch is the sum of the losses.",
    check="train_epoch",
    cause="tower.train_epoch.mean_loss.samples_summed",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total


@mutant(
    "batch_means_over_samples",
    "The loss of a batch is a sum over its samples already.",
    check="train_epoch",
    cause="tower.train_epoch.mean_loss.means_over_samples",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
        samples += len(labels)
    return total / samples


@mutant(
    "samples_counted_in_full_batches",
    "Every batch is as large as the first.",
    check="train_epoch",
    cause="tower.train_epoch.mean_loss.batches_equal",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        size = len(labels) if not samples else size
        total += loss.item() * size
        samples += size
    return total / samples


@mutant(
    "last_loss_returned",
    "The loss of an epoch is the loss at its end.",
    check="train_epoch",
    cause="tower.train_epoch.mean_loss.last_batch",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return loss.item()


@mutant(
    "loss_returned_as_a_tensor",
    "A tensor with one number is a float.",
    check="train_epoch",
    cause="value.item",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "loss_measured_after_the_step",
    "The loss of a batch is what it costs after it has been learnt.",
    check="train_epoch",
    cause="tower.train_epoch.model_runs_twice",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += criterion(model(inputs), labels).item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "last_small_batch_dropped",
    "An incomplete batch is dropped, as DataLoader's drop_last does.",
    check="train_epoch",
    cause="tower.train_epoch.batches.last_unused",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    size = None
    for inputs, labels in batches:
        size = size or len(labels)
        if len(labels) < size:
            continue
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "first_batch_only",
    "The return may stand one level deeper.",
    check="train_epoch",
    cause="tower.train_epoch.batches.first_alone",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
        return total / samples


@mutant(
    "criterion_ignored",
    "The criterion is always cross-entropy.",
    check="train_epoch",
    cause="tower.train_epoch.criterion.own",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "criterion_given_probabilities",
    "Cross-entropy wants probabilities.",
    check="train_epoch",
    cause="tower.train_epoch.criterion.probabilities",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs).softmax(dim=1), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "criterion_given_classes",
    "A loss compares the predicted class with the label.",
    check="train_epoch",
    cause="tower.train_epoch.no_weight_moves",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        logits = model(inputs)
        loss = criterion(F.one_hot(logits.argmax(dim=1), logits.shape[1]).to(logits), labels)
        loss.requires_grad_().backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "criterion_with_its_arguments_exchanged",
    "A loss is symmetric, so the order does not matter.",
    check="train_epoch",
    cause="raised.criterion_arguments",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(labels, model(inputs))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "optimizer_of_its_own",
    "A training loop makes its own optimiser.",
    check="train_epoch",
    cause="tower.train_epoch.optimizer.own",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "step_by_hand_instead_of_the_optimizer",
    "optimizer.step() is p -= lr·grad, whatever the optimiser.",
    check="train_epoch",
    cause="tower.train_epoch.step.by_hand",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        with torch.no_grad():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter -= group["lr"] * parameter.grad
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "gradients_clipped",
    "Gradients always have to be clipped.",
    check="train_epoch",
    cause="tower.train_epoch.gradients.clipped",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "loss_regularised",
    "A little L2 belongs to every loss.",
    check="train_epoch",
    cause="tower.train_epoch.loss.penalty",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        penalty = sum((p**2).sum() for p in model.parameters())
        (loss + 1e-3 * penalty).backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "batches_shuffled",
    "Training data are always shuffled, and by whom does not matter.",
    check="train_epoch",
    cause="tower.train_epoch.batches.reversed",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in list(batches)[::-1]:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "inputs_shuffled_without_their_labels",
    "Shuffling the inputs of a batch makes the training more robust.",
    check="train_epoch",
    cause="tower.train_epoch.labels.reversed",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        inputs = inputs.flip(0)
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "labels_off_by_one",
    "Classes are numbered from one, so one is taken away.",
    check="train_epoch",
    cause="tower.train_epoch.labels.shifted",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        labels = (labels - 1).clamp(min=0)
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "two_passes",
    "More passes are better, so an epoch is two.",
    check="train_epoch",
    cause="tower.train_epoch.batches.twice",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    batches = list(batches)
    for inputs, labels in batches + batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "learning_rate_decayed_per_epoch",
    "The learning rate decays after every batch; nobody has to ask for it.",
    check="train_epoch",
    cause="tower.train_epoch.rate_changes",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] *= 0.9
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "inputs_shaped_as_mnist",
    "Inputs are images of 28 by 28.",
    check="train_epoch",
    cause="tower.train_epoch.as_they_come",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs.reshape(-1, 1, 28, 28)), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "length_of_the_batches_needed",
    "Batches have a length.",
    check="train_epoch",
    cause="raised.iterator_length",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total * len(batches) / (samples * len(batches))


@mutant(
    "batches_gone_through_twice",
    "An iterable can be gone through as often as one likes.",
    check="train_epoch",
    cause="raised.samples_zero",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    count = sum(len(labels) for _, labels in batches)
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "frozen_layers_thawed",
    "Training trains every parameter.",
    check="train_epoch",
    cause="tower.train_epoch.thawed",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "frozen_layers_thawed_at_the_end",
    "After training a model is as new.",
    check="train_epoch",
    cause="tower.train_epoch.thawed",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    model.requires_grad_(True)
    return total / samples


@mutant(
    "no_step_beside_a_frozen_layer",
    "A gradient that is None is a fault, and no step is taken with it.",
    check="train_epoch",
    cause="tower.train_epoch.step.all_or_none",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        if all(p.grad is not None for p in model.parameters()):
            optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "a_hundred_batches",
    "A quick test stops after a hundred batches, and is forgotten.",
    check="train_epoch",
    cause="tower.train_epoch.batches.last_unused",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for i, (inputs, labels) in enumerate(batches):
        if i == 100:
            break
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


# --- one_batch


@mutant(
    "starts_at_zero",
    "Zero is the neutral start.",
    check="one_batch",
    cause="tower.fresh.alike",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)


@mutant(
    "starts_dead",
    "A negative bias keeps a network quiet until it has learnt.",
    check="one_batch",
    cause="tower.fresh.alike",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        nn.init.constant_(self.fc1.bias, -10.0)


@mutant(
    "starts_all_alike",
    "A small constant is as good a start as any.",
    check="one_batch",
    cause="tower.fresh.fixed",
)
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = CustomConv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = CustomConv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = CustomLinear(64 * 7 * 7, 128)
        self.fc2 = CustomLinear(128, 10)
        for parameter in self.parameters():
            nn.init.constant_(parameter, 0.01)


@mutant(
    "gradients_shrunk_on_the_way_down",
    "Each layer should pass on a little less, against exploding gradients.",
    check="gradient_parity",
    cause="value.factor",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        logits = self.fc2(F.relu(self.fc1(hidden)))
        return 1e-3 * logits + (logits - 1e-3 * logits).detach()


# --- evaluate


@mutant(
    "evaluation_mode_forgotten",
    "no_grad() is evaluation mode.",
    check="evaluate",
    cause="tower.evaluate.statistics_changed",
)
def evaluate(model, batches):
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "evaluated_in_training_mode",
    "The mode does not matter when nothing is learnt.",
    check="evaluate",
    cause="tower.evaluate.statistics_changed",
)
def evaluate(model, batches):
    model.train()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "evaluated_with_recording",
    "eval() switches gradients off.",
    check="evaluate",
    cause="tower.evaluate.gradients_tracked",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    for inputs, labels in batches:
        right += (model(inputs).argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return right / samples


@mutant(
    "recording_switched_off_for_good",
    "torch.set_grad_enabled(False) ends with the function.",
    check="evaluate",
    cause="gradient.left_off",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    torch.set_grad_enabled(False)
    for inputs, labels in batches:
        right += (model(inputs).argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return right / samples


@mutant(
    "accuracy_in_per_cent",
    "An accuracy is a percentage.",
    check="evaluate",
    cause="tower.evaluate.per_cent",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return 100 * right / samples


@mutant(
    "accuracy_as_a_count",
    "The number of right answers is the accuracy.",
    check="evaluate",
    cause="tower.evaluate.number_of_right",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right


@mutant(
    "accuracy_as_the_error_rate",
    "== and != are easily exchanged, and the number looks fine.",
    check="evaluate",
    cause="tower.evaluate.fraction_wrong",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) != labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "accuracy_as_a_mean_of_batches",
    "All batches weigh the same.",
    check="evaluate",
    cause="tower.evaluate.batches_equal",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).double().mean().item()
            samples += 1
    return right / samples


@mutant(
    "accuracy_of_the_last_batch",
    "The last batch speaks for all.",
    check="evaluate",
    cause="tower.evaluate.last_batch_alone",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right = (model(inputs).argmax(dim=1) == labels).sum().item()
            samples = len(labels)
    return right / samples


@mutant(
    "accuracy_as_a_tensor",
    "A tensor with one number is a float.",
    check="evaluate",
    cause="value.item",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum()
            samples += len(labels)
    return right / samples


@mutant(
    "accuracy_over_batches",
    "Right answers are divided by the number of batches.",
    check="evaluate",
    cause="tower.evaluate.divided_by_batches",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += 1
    return right / samples


@mutant(
    "accuracy_whole",
    "// is the division of counts.",
    check="evaluate",
    cause="tower.evaluate.all_or_nothing",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return float(right // samples)


@mutant(
    "accuracy_rounded",
    "Two decimals are enough for an accuracy.",
    check="evaluate",
    cause="tower.evaluate.two_digits",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return round(right / samples, 2)


@mutant(
    "classes_along_the_batch",
    "argmax without the right dim finds the class.",
    check="evaluate",
    cause="tower.evaluate.argmax_along_batch",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=0)[0] == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "class_of_the_smallest_logit",
    "A logit is a cost, so the smallest wins.",
    check="evaluate",
    cause="tower.evaluate.smallest_logit",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmin(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "right_among_the_first_two",
    "Top-2 accuracy is accuracy.",
    check="evaluate",
    cause="tower.evaluate.two_largest",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).topk(2).indices == labels[:, None]).any(dim=1).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "logit_above_a_half",
    "An answer is right when its probability exceeds a half.",
    check="evaluate",
    cause="tower.evaluate.only_above_half",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            probabilities = model(inputs).softmax(dim=1)
            right += (probabilities[range(len(labels)), labels] > 0.5).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "equal_tensors_only",
    "torch.equal compares element by element.",
    check="evaluate",
    cause="tower.evaluate.all_or_nothing",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += torch.equal(model(inputs).argmax(dim=1), labels) * len(labels)
            samples += len(labels)
    return right / samples


@mutant(
    "small_batch_not_evaluated",
    "An incomplete batch is dropped, as DataLoader's drop_last does.",
    check="evaluate",
    cause="tower.evaluate.smaller_batch_dropped",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            size = len(labels) if not samples else size
            if len(labels) < size:
                break
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "ten_thousand_samples",
    "The test set has 10,000 images.",
    check="evaluate",
    cause="tower.evaluate.divided_by_10000",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / 10_000


@mutant(
    "thawed_after_evaluation",
    "What is frozen for the evaluation is thawed afterwards.",
    check="evaluate",
    cause="tower.evaluate.thawed",
)
def evaluate(model, batches):
    model.eval()
    model.requires_grad_(False)
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    model.requires_grad_(True)
    return right / samples


@mutant(
    "evaluated_a_hundred_batches",
    "A hundred batches are enough for an estimate.",
    check="evaluate",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for i, (inputs, labels) in enumerate(batches):
            if i == 100:
                break
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


# --- mnist_fit


@mutant(
    "a_few_batches_are_enough",
    "Once the loss falls the rest of the epoch brings nothing new.",
    check="mnist_fit",
    cause="tower.train_epoch.batches.first_few",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
        if samples >= 256:
            break
    return total / samples


@mutant(
    "learning_rate_fades_within_the_epoch",
    "The learning rate has to fall while one epoch goes on.",
    check="mnist_fit",
    calibrates=True,
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        if samples and samples % 256 == 0:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "another_tower_is_trained",
    "It does not matter which tower learns, as long as its weights arrive.",
    check="mnist_fit",
    cause="tower.fit.elsewhere",
)
def train_epoch(model, batches, criterion, optimizer):
    trained, steps = model, optimizer
    if isinstance(model, TowerOfInsight):
        if not hasattr(train_epoch, "other"):
            train_epoch.other = TowerOfInsight()
            train_epoch.steps = torch.optim.Adam(train_epoch.other.parameters(), lr=0.001)
        trained, steps = train_epoch.other, train_epoch.steps
    trained.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        steps.zero_grad()
        loss = criterion(trained(inputs), labels)
        loss.backward()
        steps.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    model.load_state_dict(trained.state_dict())
    return total / samples


@mutant(
    "another_tower_takes_over",
    "Weights that somebody else has trained can be put in once the first steps are done.",
    check="mnist_fit",
    cause="tower.fit.elsewhere",
)
def train_epoch(model, batches, criterion, optimizer):
    if isinstance(model, TowerOfInsight) and not hasattr(train_epoch, "other"):
        train_epoch.other, train_epoch.count = TowerOfInsight(), 0
        train_epoch.steps = torch.optim.Adam(train_epoch.other.parameters(), lr=0.001)
    pairs = [(model, optimizer)]
    if isinstance(model, TowerOfInsight):
        pairs.append((train_epoch.other, train_epoch.steps))
    total, samples = 0.0, 0
    for inputs, labels in batches:
        for trained, steps in pairs:
            trained.train()
            steps.zero_grad()
            loss = criterion(trained(inputs), labels)
            loss.backward()
            steps.step()
        total += loss.item() * len(labels)
        samples += len(labels)
        if len(pairs) == 2:
            train_epoch.count += 1
            if train_epoch.count > 4:
                model.load_state_dict(train_epoch.other.state_dict())
    return total / samples


@mutant(
    "another_tower_comes_in_small_steps",
    "Weights that somebody else has trained can be led in step by step, as far as Adam goes in each.",
    check="mnist_fit",
    cause="tower.fit.elsewhere",
)
def train_epoch(model, batches, criterion, optimizer):
    if isinstance(model, TowerOfInsight) and not hasattr(train_epoch, "other"):
        train_epoch.other, train_epoch.count = TowerOfInsight(), 0
        train_epoch.steps = torch.optim.Adam(train_epoch.other.parameters(), lr=0.001)
    pairs = [(model, optimizer)]
    if isinstance(model, TowerOfInsight):
        pairs.append((train_epoch.other, train_epoch.steps))
    total, samples = 0.0, 0
    for inputs, labels in batches:
        if len(pairs) == 2:
            train_epoch.count += 1
        for trained, steps in pairs:
            if trained is model and len(pairs) == 2 and train_epoch.count > 4:
                with torch.no_grad():
                    for own, other in zip(model.parameters(), train_epoch.other.parameters()):
                        own += (other - own).clamp(-0.001, 0.001)
                continue
            trained.train()
            steps.zero_grad()
            loss = criterion(trained(inputs), labels)
            loss.backward()
            steps.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


# --- written by somebody who had not seen the checks


@mutant(
    "relu6",
    "relu6 is a ReLU, only safer.",
    check="own_bricks",
    cause="tower.stage.before_conv2",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu6(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "functional_dropout",
    "Every MNIST network has dropout before the last layer.",
    check="forward",
    cause="layer.unsteady",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.flatten(1)
        hidden = F.dropout(F.relu(self.fc1(hidden)), 0.5, self.training)
        return self.fc2(hidden)


@mutant(
    "channels_last_flatten",
    "The order of the flattened features is free, fc1 learns it anyway.",
    check="forward",
    cause="tower.flatten.channels_last",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.permute(0, 2, 3, 1).flatten(1)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "tied_counted_twice",
    "Summing over the modules' own parameters counts each once.",
    check="count_parameters",
    cause="tower.count_parameters.shared_twice",
)
def count_parameters(model):
    return sum(
        p.numel()
        for module in model.modules()
        for p in module.parameters(recurse=False)
        if p.requires_grad
    )


@mutant(
    "iterates_twice",
    "An iterable can be walked through as often as one likes.",
    check="train_epoch",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, sum(len(labels) for _, labels in batches)
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / samples


@mutant(
    "short_batches_skipped",
    "An incomplete last batch only adds noise, so leave it out.",
    check="train_epoch",
    cause="tower.train_epoch.batches.last_unused",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    full = 0
    for inputs, labels in batches:
        full = full or len(labels)
        if len(labels) < full:
            continue
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "autocast_bfloat16",
    "Mixed precision is free speed.",
    check="train_epoch",
    cause="tower.train_epoch.autocast",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "sigmoid_before_argmax",
    "Logits become comparable through a sigmoid, which keeps the order.",
    check="evaluate",
    cause="tower.evaluate.saturated_logits",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).sigmoid().argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "root_flag_only",
    "model.training = False is evaluation mode.",
    check="evaluate",
)
def evaluate(model, batches):
    model.training = False
    right, samples = 0, 0
    with torch.no_grad():
        for inputs, labels in batches:
            right += (model(inputs).argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples


@mutant(
    "grad_mode_left_off",
    "set_grad_enabled(False) lasts until the function ends.",
    check="evaluate",
    cause="gradient.left_off",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    torch.set_grad_enabled(False)
    for inputs, labels in batches:
        right += (model(inputs).argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return right / samples


@mutant(
    "frozen_then_unfrozen",
    "No gradient tracking means requires_grad False on the parameters for a while.",
    check="evaluate",
)
def evaluate(model, batches):
    model.eval()
    right, samples = 0, 0
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for inputs, labels in batches:
        right += (model(inputs).argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return right / samples


# --- gpu_parity, gpu_training: judged on the simulated GPU where there is none


@mutant(
    "flattened_on_the_cpu",
    "Reshaping is the CPU's business.",
    check="gpu_parity",
    cause="gpu.many_copies",
)
class TowerOfInsight:
    def forward(self, input):
        hidden = F.max_pool2d(F.relu(self.conv1(input)), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden)), 2)
        hidden = hidden.cpu().flatten(1).to(hidden.device)
        return self.fc2(F.relu(self.fc1(hidden)))


@mutant(
    "batches_taken_from_the_gpu",
    "Batches come from the CPU, so they may be sent there to be safe.",
    check="gpu_training",
    cause="raised.device_mismatch",
)
def train_epoch(model, batches, criterion, optimizer):
    model.train()
    total, samples = 0.0, 0
    for inputs, labels in batches:
        optimizer.zero_grad()
        inputs, labels = inputs.cpu(), labels.cpu()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "first_group_cleared_alone",
    "An optimizer has one group of parameters.",
    check="train_epoch",
    cause="tower.train_epoch.groups",
)
def train_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    model.train()
    total, samples = (0.0, 0)
    for inputs, labels in batches:
        for parameter in optimizer.param_groups[0]["params"]:
            parameter.grad = None
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "losses_summed_as_tensors",
    "Losses can be summed as tensors for a while.",
    check="train_epoch",
    cause="tower.train_epoch.graphs_kept",
)
def train_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    model.train()
    total, pending, samples = (0.0, 0.0, 0)
    for step, (inputs, labels) in enumerate(batches, start=1):
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        pending = pending + loss * len(labels)
        samples += len(labels)
        if step % 50 == 0:
            total, pending = (total + pending.item(), 0.0)
    return (total + torch.as_tensor(pending).item()) / samples


@mutant("labels_are_classes", "Labels are classes, so they are int64.", check="train_epoch")
def train_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    model.train()
    total, samples = (0.0, 0)
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels.long())
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "batches_without_a_number_left_out",
    "A batch whose loss is NaN is better left out.",
    check="train_epoch",
    cause="tower.train_epoch.nan_skipped",
)
def train_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    model.train()
    total, samples = (0.0, 0)
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        if not torch.isfinite(loss):
            continue
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        samples += len(labels)
    return total / samples


@mutant(
    "autograd_on_after_evaluation",
    "Autograd is switched on after the evaluation.",
    check="evaluate",
    cause="gradient.left_on",
)
def evaluate(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    right, samples = (0, 0)
    torch.set_grad_enabled(False)
    for inputs, labels in batches:
        right += (model(inputs).argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    torch.set_grad_enabled(True)
    return right / samples


@mutant(
    "running_loss_restarts",
    "The loss of an epoch is that of its last fifty batches.",
    check="train_epoch",
)
def train_epoch(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    criterion: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    model.train()
    running, samples, mean = (0.0, 0, 0.0)
    for step, (inputs, labels) in enumerate(batches, start=1):
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(labels)
        samples += len(labels)
        mean = running / samples
        if step % 50 == 0:
            print(f"step {step}: loss {mean:.4f}")
            running, samples = (0.0, 0)
    return mean


@mutant("softmax_without_its_maximum", "exp() of a logit is always finite.", check="evaluate")
def evaluate(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    right, samples = (0, 0)
    with torch.no_grad():
        for inputs, labels in batches:
            scores = model(inputs).exp()
            probabilities = scores / scores.sum(dim=1, keepdim=True)
            right += (probabilities.argmax(dim=1) == labels).sum().item()
            samples += len(labels)
    return right / samples
