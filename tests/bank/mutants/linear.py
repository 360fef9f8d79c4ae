"""Wrong linear layers, each in the place of the solution's own function or methods."""

from autograder.bank import mutant


# --- registration


@mutant(
    "weight_is_a_plain_tensor",
    "A tensor that requires a gradient is a parameter.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = torch.empty(
            out_features, in_features, device=device, dtype=dtype, requires_grad=True
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "weight_is_a_buffer",
    "What stands in the state dict is trained.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.register_buffer(
            "weight", torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "weight_transposed",
    "input @ weight, so the weight is (in, out).",
    check="registration",
    cause="parameter.reversed",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(in_features, out_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def forward(self, input):
        output = input @ self.weight
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_called_weights",
    "The name of an attribute is a matter of taste.",
    check="registration",
    cause="layer.names",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weights = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weights, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        output = input @ self.weights.T
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_wrapped_then_moved",
    "nn.Parameter(...).to(...) is still a parameter.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features)).to(device, dtype)
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "weight_in_a_list_of_rows",
    "A layer is a list of neurons, so it has a list of parameters.",
    check="registration",
    cause="layer.spread",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.neurons = nn.ParameterList(
            [torch.empty(in_features, device=device, dtype=dtype) for _ in range(out_features)]
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        for neuron in self.neurons:
            nn.init.uniform_(neuron, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        output = torch.stack([input @ neuron for neuron in self.neurons], dim=-1)
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_and_bias_in_one_matrix",
    "The bias is the last column of the weight.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features + bias, device=device, dtype=dtype)
        )
        self.register_parameter("bias", None)
        self.reset_parameters()

    def forward(self, input):
        output = input @ self.weight[:, : self.in_features].T
        return output + self.weight[:, self.in_features :].sum(dim=1)


@mutant(
    "weight_in_a_dictionary",
    "A module finds its parameters wherever they are kept.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.parts = {
            "weight": nn.Parameter(
                torch.empty(out_features, in_features, device=device, dtype=dtype)
            )
        }
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.parts["weight"], -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        output = input @ self.parts["weight"].T
        return output if self.bias is None else output + self.bias


@mutant(
    "bias_is_a_row",
    "A bias that is added to rows is a row: (1, out).",
    check="registration",
    cause="parameter.arranged",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(1, out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_is_one_number",
    "A layer has one bias; broadcasting gives it to every output.",
    check="registration",
    cause="parameter.one_number",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(1, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_has_the_size_of_the_input",
    "There is one bias for every input feature.",
    check="registration",
    cause="parameter.size",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(in_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_argument_ignored",
    "Every layer has a bias, whatever bias says.",
    check="registration",
    cause="layer.bias_despite_false",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        self.reset_parameters()


@mutant(
    "bias_is_false",
    "The attribute bias holds what the argument bias was.",
    check="registration",
    cause="layer.none_not_registered",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.bias = False
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not False:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is False else output + self.bias


@mutant(
    "no_bias_is_frozen_zeros",
    "Without a bias there is a bias of zeros that is not trained.",
    check="registration",
    cause="layer.bias_despite_false",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            zeros = torch.zeros(out_features, device=device, dtype=dtype)
            self.bias = nn.Parameter(zeros, requires_grad=False)
        self.reset_parameters()
        if not bias:
            nn.init.zeros_(self.bias)


@mutant(
    "no_bias_is_a_plain_attribute",
    "self.bias = None registers the name.",
    check="registration",
    cause="layer.none_not_registered",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.bias = None
        self.reset_parameters()


@mutant(
    "no_bias_is_a_missing_attribute",
    "What a layer does not have it need not mention.",
    check="registration",
    cause="layer.none_not_registered",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if hasattr(self, "bias"):
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        output = input @ self.weight.T
        return output + self.bias if hasattr(self, "bias") else output


@mutant(
    "dtype_ignored",
    "The dtype of a layer follows from its input.",
    check="registration",
    cause="layer.dtype",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features, device=device))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "dtype_forgotten_for_the_bias",
    "The dtype argument is about the weight.",
    check="registration",
    cause="layer.dtype",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "a_scale_too_many",
    "A learnable scale does no harm: it starts at 1.",
    check="registration",
    cause="layer.extra_parameters",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.scale = nn.Parameter(torch.ones(1, device=device, dtype=dtype))
        self.reset_parameters()

    def forward(self, input):
        output = self.scale * (input @ self.weight.T)
        return output if self.bias is None else output + self.bias


@mutant(
    "a_layer_inside_the_layer",
    "Wrapping nn.Linear is implementing it.",
    check="registration",
    cause="layer.ready_made_inside",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.layer = nn.Linear(in_features, out_features, bias, device, dtype)

    def forward(self, input):
        return self.layer(input)


@mutant(
    "parent_constructor_called_last",
    "super().__init__() may stand anywhere in the constructor.",
    check="registration",
    cause="raised.super_init",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        super().__init__()
        self.reset_parameters()


@mutant(
    "weight_frozen",
    "requires_grad is switched on by the optimiser.",
    check="registration",
    cause="layer.frozen",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype), requires_grad=False
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


# --- forward


@mutant(
    "bias_never_added",
    "A registered bias takes part by itself.",
    check="forward",
    cause="bias.missing",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output


@mutant(
    "bias_subtracted",
    "A bias is a threshold, so it is taken away.",
    check="forward",
    cause="bias.subtracted",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is None else output - self.bias


@mutant(
    "bias_added_before_the_product",
    "The bias belongs to the input.",
    check="forward",
    cause="raised.broadcasting",
)
class CustomLinear:
    def forward(self, input):
        if self.bias is not None:
            input = input + self.bias
        return input @ self.weight.T


@mutant(
    "none_added_to_the_output",
    "Adding None adds nothing.",
    check="forward",
    cause="raised.bias_none",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output + self.bias


@mutant(
    "weight_not_transposed",
    "input · weight, as in the formula one remembers.",
    check="forward",
    cause="raised.matmul_with_weight",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_times_input",
    "The formula W·x holds for a batch of rows as well.",
    check="forward",
    cause="raised.matmul_with_weight",
)
class CustomLinear:
    def forward(self, input):
        output = self.weight @ input
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_reshaped_instead_of_transposed",
    "reshape to the transposed shape is the transpose.",
    check="forward",
    cause="linear.weight.viewed",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.reshape(self.in_features, self.out_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "matrices_only",
    "An input is a batch of rows: always two dimensions.",
    check="forward",
    cause="raised.dimensions",
)
class CustomLinear:
    def forward(self, input):
        output = torch.mm(input, self.weight.T)
        return output if self.bias is None else output + self.bias


@mutant(
    "einsum_for_two_dimensions",
    "'bi,oi->bo' covers every input.",
    check="forward",
    cause="raised.dimensions",
)
class CustomLinear:
    def forward(self, input):
        output = torch.einsum("bi,oi->bo", input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "batch_flattened_for_good",
    "Leading dimensions are flattened; the caller can restore them.",
    check="forward",
    cause="output.unsqueezed_front",
)
class CustomLinear:
    def forward(self, input):
        output = input.reshape(-1, self.in_features) @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "view_of_the_input",
    "view and reshape are the same.",
    check="forward",
    cause="raised.view_strides",
)
class CustomLinear:
    def forward(self, input):
        output = input.view(-1, self.in_features) @ self.weight.T
        output = output.view(*input.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "everything_but_the_batch_flattened",
    "A linear layer flattens its input to (batch, features) itself.",
    check="forward",
    cause="raised.dimensions",
)
class CustomLinear:
    def forward(self, input):
        output = input.flatten(1) @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "batch_of_four",
    "The batch size is a constant of the program.",
    check="forward",
    cause="raised.view_size",
)
class CustomLinear:
    def forward(self, input):
        output = input.reshape(4, -1, self.in_features) @ self.weight.T
        output = output.reshape(*input.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "single_sample_gets_a_batch_dimension",
    "A vector is a batch of one, also on the way out.",
    check="forward",
    cause="output.unsqueezed_front",
)
class CustomLinear:
    def forward(self, input):
        output = torch.atleast_2d(input) @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "output_squeezed",
    "Dimensions of size one carry nothing.",
    check="forward",
    cause="output.squeezed",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return (output if self.bias is None else output + self.bias).squeeze()


@mutant(
    "rows_stacked_one_by_one",
    "There is always at least one sample to stack.",
    check="forward",
    cause="raised.nothing_to_join",
)
class CustomLinear:
    def forward(self, input):
        rows = input.reshape(-1, self.in_features)
        output = torch.stack([self.weight @ row for row in rows])
        output = output.reshape(*input.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "input_reshaped_in_place",
    "unsqueeze_ and unsqueeze differ in speed only.",
    check="forward",
    cause="layer.changes_input",
)
class CustomLinear:
    def forward(self, input):
        single = input.dim() == 1
        output = (input.unsqueeze_(0) if single else input) @ self.weight.T
        output = output[0] if single else output
        return output if self.bias is None else output + self.bias


@mutant(
    "input_centred_in_place",
    "Inputs should be centred, and what is mine I may change.",
    check="forward",
    cause="layer.changes_input",
)
class CustomLinear:
    def forward(self, input):
        with torch.no_grad():
            input -= input.mean()
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "first_sample_for_all",
    "input[0] is the input.",
    check="forward",
    cause="output.first_for_all",
)
class CustomLinear:
    def forward(self, input):
        output = (input[:1] if input.dim() > 1 else input) @ self.weight.T
        output = output.expand(*input.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "relu_baked_in",
    "A layer includes its activation.",
    check="forward",
    cause="output.relu",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return (output if self.bias is None else output + self.bias).relu()


@mutant(
    "output_scaled",
    "A sum over many inputs has to be divided by its root, as in attention.",
    check="forward",
    cause="linear.product.divided_by_root",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T / math.sqrt(self.in_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_normalised",
    "Each neuron's weights have to have length one.",
    check="forward",
    cause="linear.weight.rows_normalised",
)
class CustomLinear:
    def forward(self, input):
        output = input @ (self.weight / self.weight.norm(dim=1, keepdim=True)).T
        return output if self.bias is None else output + self.bias


@mutant(
    "everything_in_float32",
    "Neural networks compute in float32, whatever comes in.",
    check="forward",
    cause="value.dtype",
)
class CustomLinear:
    def forward(self, input):
        output = input.float() @ self.weight.float().T
        return output if self.bias is None else output + self.bias.float()


@mutant(
    "product_in_float32",
    "Computing in float32 and casting back is the same as computing in float64.",
    check="forward",
    cause="value.float32",
)
class CustomLinear:
    def forward(self, input):
        output = (input.float() @ self.weight.float().T).to(input.dtype)
        return output if self.bias is None else output + self.bias


@mutant(
    "new_weights_in_every_forward",
    "The layer is built where it is used.",
    check="forward",
    cause="layer.forward_changes_parameters",
)
class CustomLinear:
    def forward(self, input):
        self.reset_parameters()
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "dropout_always",
    "A little dropout belongs to every dense layer.",
    check="forward",
    cause="layer.unsteady",
)
class CustomLinear:
    def forward(self, input):
        output = nn.functional.dropout(input, 0.1) @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "transpose_made_in_the_constructor",
    "The weight does not change, so its transpose can be made once.",
    check="forward",
    cause="raised.dtypes_mixed",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        self.weight_t = self.weight.detach().T.clone().requires_grad_()

    def forward(self, input):
        output = input @ self.weight_t
        return output if self.bias is None else output + self.bias


@mutant(
    "bias_copied_in_the_constructor",
    "The bias does not change, so it can be spread over the batch once.",
    check="forward",
    cause="layer.ignores_parameter",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        self.bias_row = None if self.bias is None else self.bias.detach().clone()[None]

    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias_row.to(output)


@mutant(
    "bias_for_the_batch_axis",
    "A column of biases is added to a batch as it stands.",
    check="forward",
    cause="raised.broadcasting",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias.reshape(-1, 1)


# --- forward_float32


@mutant(
    "output_always_float64",
    "More digits are better, so the output is float64.",
    check="forward_float32",
    cause="value.dtype",
)
class CustomLinear:
    def forward(self, input):
        output = input.double() @ self.weight.double().T
        return output if self.bias is None else output + self.bias


@mutant(
    "bias_promoted",
    "Adding a float64 bias to a float32 product leaves it float32.",
    check="forward_float32",
    cause="value.dtype",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias.double()


@mutant(
    "autocast_inside_the_layer",
    "bfloat16 is float32, only faster.",
    check="forward_float32",
    cause="value.half",
)
class CustomLinear:
    def forward(self, input):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "accumulator_in_float64",
    "torch.zeros(..., dtype=torch.float64) is the neutral start of any sum.",
    check="forward_float32",
    cause="value.dtype",
)
class CustomLinear:
    def forward(self, input):
        start = torch.zeros(self.out_features, device=input.device, dtype=torch.float64)
        output = start + input @ self.weight.T
        return output if self.bias is None else output + self.bias


# --- gradient_parity


@mutant(
    "weight_by_data",
    "The forward pass needs values only, so .data is the clean way to read a parameter.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.data.T
        return output if self.bias is None else output + self.bias


@mutant(
    "bias_detached",
    "The bias is a constant, it needs no gradient.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias.detach()


@mutant(
    "input_detached",
    "The gradient is for the parameters, not for the input.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        output = input.detach() @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_copied_by_torch_tensor",
    "torch.tensor(parameter) is the parameter.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        weight = torch.tensor(self.weight.detach().tolist(), dtype=self.weight.dtype)
        output = input @ weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "product_by_numpy",
    "numpy and torch are interchangeable.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        product = input.detach().numpy() @ self.weight.detach().numpy().T
        output = torch.as_tensor(product, dtype=input.dtype)
        return output if self.bias is None else output + self.bias


@mutant(
    "forward_without_recording",
    "forward runs under no_grad; backward does the rest.",
    check="gradient_parity",
    cause="gradient.no_graph",
)
class CustomLinear:
    def forward(self, input):
        with torch.no_grad():
            output = input @ self.weight.T
            return output if self.bias is None else output + self.bias


@mutant(
    "output_made_a_leaf",
    "An output that requires a gradient has one.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        output = output if self.bias is None else output + self.bias
        return output.detach().requires_grad_()


@mutant(
    "input_made_a_leaf",
    "requires_grad_() on a copy of the input connects it to the graph.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomLinear:
    def forward(self, input):
        output = input.clone().detach().requires_grad_() @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "upstream_clipped",
    "A layer protects itself from large gradients.",
    check="gradient_parity",
    cause="gradient.upstream_clipped",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient.clamp(-0.5, 0.5))
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_ignores_the_upstream_gradient",
    "The gradient of a layer is its own derivative; what comes from above is 1.",
    check="gradient_parity",
    cause="gradient.of_sum",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x, weight)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                x, weight = ctx.saved_tensors
                upstream = torch.ones_like(upstream)
                rows = upstream.reshape(-1, upstream.shape[-1])
                return upstream @ weight, rows.T @ x.reshape(-1, x.shape[-1])

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_averages_the_batch",
    "The weight gradient is the mean over the samples.",
    check="gradient_parity",
    cause="gradient.batch_averaged",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x, weight)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                x, weight = ctx.saved_tensors
                rows = upstream.reshape(-1, upstream.shape[-1])
                inputs = x.reshape(-1, x.shape[-1])
                return upstream @ weight, rows.T @ inputs / max(len(inputs), 1)

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_forgets_the_input",
    "A layer's backward is about its parameters.",
    check="gradient_parity",
    cause="value.zero",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                (x,) = ctx.saved_tensors
                rows = upstream.reshape(-1, upstream.shape[-1])
                return torch.zeros_like(x), rows.T @ x.reshape(-1, x.shape[-1])

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_of_the_first_slice",
    "There is one leading dimension to sum over; the others are like it.",
    check="gradient_parity",
    cause="gradient.first_sample",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x, weight)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                x, weight = ctx.saved_tensors
                grad_x = upstream @ weight
                while x.dim() > 2:
                    x, upstream = x[0], upstream[0]
                return grad_x, torch.atleast_2d(upstream).T @ torch.atleast_2d(x)

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_gradient_scaled_per_row",
    "The gradient has to be normalised by the number of inputs.",
    check="gradient_parity",
    cause="linear.gradient.divided_by_number_of_inputs",
)
class CustomLinear:
    def forward(self, input):
        weight = self.weight * 1
        if weight.requires_grad:
            weight.register_hook(lambda gradient: gradient / self.in_features)
        output = input @ weight.T
        return output if self.bias is None else output + self.bias


# --- gradcheck


@mutant(
    "backward_with_the_sign_of_descent",
    "backward returns the direction of descent, so it carries a minus.",
    check="gradcheck",
    cause="gradient.sign",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x, weight)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                x, weight = ctx.saved_tensors
                rows = upstream.reshape(-1, upstream.shape[-1])
                return -upstream @ weight, -rows.T @ x.reshape(-1, x.shape[-1])

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_uses_the_wrong_factor",
    "The derivative of x·w by x is x.",
    check="gradcheck",
    cause="linear.backward.factors_exchanged",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x, weight)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                x, weight = ctx.saved_tensors
                rows = upstream.reshape(-1, upstream.shape[-1])
                grad_weight = rows.sum(dim=0)[:, None] * weight
                return x * upstream.sum(dim=-1, keepdim=True), grad_weight

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "bias_gradient_doubled",
    "The bias acts on every sample twice: in the product and in the sum.",
    check="gradcheck",
    cause="gradient.twice",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias - self.bias.detach() + self.bias


@mutant(
    "backward_frees_what_it_needs_again",
    "backward runs once per forward, so what it needed may be deleted.",
    check="gradcheck",
    cause="raised.ctx",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.x, ctx.weight = x, weight
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                rows = upstream.reshape(-1, upstream.shape[-1])
                grads = upstream @ ctx.weight, rows.T @ ctx.x.reshape(-1, ctx.x.shape[-1])
                del ctx.x, ctx.weight
                return grads

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_sums_its_calls",
    "A gradient is added to what was there, already inside backward.",
    check="gradcheck",
    cause="gradient.accumulated",
)
class CustomLinear:
    def forward(self, input):
        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, weight):
                ctx.save_for_backward(x, weight)
                ctx.grad_weight = torch.zeros_like(weight)
                return x @ weight.T

            @staticmethod
            def backward(ctx, upstream):
                x, weight = ctx.saved_tensors
                rows = upstream.reshape(-1, upstream.shape[-1])
                ctx.grad_weight = ctx.grad_weight + rows.T @ x.reshape(-1, x.shape[-1])
                return upstream @ weight, ctx.grad_weight

        output = Product.apply(input, self.weight)
        return output if self.bias is None else output + self.bias


# --- by_hand


@mutant(
    "calls_f_linear",
    "F.linear is the low-level way to do it by hand.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        return torch.nn.functional.linear(input, self.weight, self.bias)


@mutant(
    "calls_f_linear_without_the_bias",
    "Adding the bias oneself makes it by hand.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        output = torch.nn.functional.linear(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant(
    "calls_f_linear_by_another_name",
    "What is not written as F.linear is not F.linear.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        product = getattr(torch.nn.functional, "lin" + "ear")
        return product(input, self.weight, self.bias)


@mutant(
    "calls_the_aten_operator",
    "torch.ops is below the library, so it is by hand.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        return torch.ops.aten.linear(input, self.weight, self.bias)


@mutant(
    "borrows_forward_of_nn_linear",
    "Calling the parent's forward is reuse.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        return nn.Linear.forward(self, input)


@mutant(
    "fills_an_nn_linear",
    "A stock layer with my weights computes by hand.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        parameters = {"weight": self.weight}
        if self.bias is not None:
            parameters["bias"] = self.bias
        stock = nn.Linear(
            self.in_features, self.out_features, self.bias is not None, device=input.device
        )
        return torch.func.functional_call(stock, parameters, (input,))


@mutant(
    "calls_f_bilinear",
    "A bilinear layer with a constant second input is something else than a linear one.",
    check="by_hand",
    cause="by_hand.ready_made",
)
class CustomLinear:
    def forward(self, input):
        ones = input.new_ones(*input.shape[:-1], 1)
        return torch.nn.functional.bilinear(input, ones, self.weight[:, :, None], self.bias)


# --- initialisation


@mutant(
    "starts_at_zero",
    "Zero is the neutral start.",
    check="initialisation",
    cause="drawing.constant",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_standard_normal",
    "torch.randn is how weights are drawn.",
    check="initialisation",
    cause="drawing.randn",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_normal_with_the_right_spread",
    "Only the variance of the distribution matters.",
    check="initialisation",
    cause="drawing.normal_for_uniform",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.normal_(self.weight, 0, bound / math.sqrt(3))
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_in_zero_to_one",
    "torch.rand draws from the interval around zero.",
    check="initialisation",
    cause="drawing.rand",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_positive",
    "uniform_(bound) spreads to both sides.",
    check="initialisation",
    cause="drawing.positive",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, 0, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_of_the_outputs",
    "Fan-in is the number of outputs.",
    check="initialisation",
    cause="drawing.fan_in.fan_out",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.out_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_without_the_root",
    "The bound is 1/fan_in.",
    check="initialisation",
    cause="drawing.root_missing",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / self.in_features
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_of_kaiming",
    "nn.Linear starts with the Kaiming bound √(6/fan_in).",
    check="initialisation",
    cause="drawing.kaiming_for_relu",
)
class CustomLinear:
    def reset_parameters(self):
        bound = math.sqrt(6 / self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_of_xavier",
    "nn.Linear starts with the Xavier bound.",
    check="initialisation",
    cause="drawing.xavier",
)
class CustomLinear:
    def reset_parameters(self):
        bound = math.sqrt(6 / (self.in_features + self.out_features))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_as_the_standard_deviation",
    "1/√fan_in is the standard deviation, so the bound is √3 times that.",
    check="initialisation",
    cause="drawing.kaiming_with_gain_1",
)
class CustomLinear:
    def reset_parameters(self):
        bound = math.sqrt(3 / self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bias_starts_at_zero",
    "A bias always starts at zero.",
    check="initialisation",
    cause="drawing.constant",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


@mutant(
    "bias_bound_of_the_outputs",
    "The bias has out_features elements, so its fan is out_features.",
    check="initialisation",
    cause="drawing.fan_of_bias",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.bias.numel())
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "never_initialised",
    "torch.empty draws random numbers.",
    check="initialisation",
    cause="value.not_finite",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)


@mutant(
    "always_the_same_start",
    "A seed inside the layer makes it reproducible, and that is all it does.",
    check="initialisation",
    cause="drawing.second_reset",
)
class CustomLinear:
    def reset_parameters(self):
        torch.manual_seed(0)
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "one_neuron_for_all",
    "Every neuron may start alike; training will tell them apart.",
    check="initialisation",
    cause="drawing.repeated",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        self.weight.data.copy_(self.weight.data[:1].expand_as(self.weight).clone())
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "reset_only_once",
    "Parameters that have values need no new ones.",
    check="initialisation",
    cause="drawing.second_reset",
)
class CustomLinear:
    def reset_parameters(self):
        if getattr(self, "drawn", False):
            return
        self.drawn = True
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "drawn_from_a_grid",
    "Random integers, scaled, are random numbers.",
    check="initialisation",
    cause="drawing.repeated",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        with torch.no_grad():
            self.weight.random_(-10, 11).mul_(bound / 10)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "forgets_the_bias",
    "reset_parameters is about the weight.",
    check="initialisation",
    cause="drawing.constant",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.constant_(self.bias, bound)


# --- trains


@mutant(
    "transpose_cached_at_the_first_call",
    "The weight does not change between calls, so its transpose can be kept.",
    check="trains",
    cause="layer.kept_from_before",
)
class CustomLinear:
    def forward(self, input):
        if not hasattr(self, "weight_t"):
            self.weight_t = self.weight.T.clone()
        output = input @ self.weight_t
        return output if self.bias is None else output + self.bias


@mutant(
    "parameter_replaced_in_forward",
    "A new nn.Parameter with the same values is the same parameter.",
    check="trains",
    cause="layer.new_parameter",
)
class CustomLinear:
    def forward(self, input):
        self.weight = nn.Parameter(self.weight.detach().clone())
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "answers_remembered",
    "The same input has the same output, so it can be remembered.",
    check="trains",
    cause="layer.kept_from_before",
)
class CustomLinear:
    def forward(self, input):
        memory = self.__dict__.setdefault("memory", {})
        if input.shape not in memory:
            memory[input.shape] = self.weight.detach().clone()
        output = input @ (memory[input.shape] + self.weight - self.weight.detach()).T
        return output if self.bias is None else output + self.bias


@mutant(
    "backward_adds_to_its_own_total",
    "Gradients accumulate, so the layer keeps the running sum itself.",
    check="trains",
    cause="gradient.accumulated",
)
class CustomLinear:
    def forward(self, input):
        total = self.__dict__.setdefault("total", torch.zeros_like(self.weight.detach()))

        def add_up(gradient: Tensor) -> Tensor:
            total.add_(gradient)
            return total.clone()

        weight = self.weight * 1
        if weight.requires_grad:
            weight.register_hook(add_up)
        output = input @ weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "bias_cached_at_the_first_call",
    "The bias hardly changes, so the one of the first call will do.",
    check="trains",
    cause="layer.kept_from_before",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        if self.bias is None:
            return output
        if not hasattr(self, "first_bias"):
            self.first_bias = self.bias.detach().clone()
        return output + self.first_bias + (self.bias - self.bias.detach())


# --- meta_device


@mutant(
    "device_ignored",
    "The device of a layer is chosen by .to() afterwards, so the argument may wait.",
    check="meta_device",
    cause="layer.device",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(torch.empty(out_features, in_features, dtype=dtype))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "output_buffer_on_the_cpu",
    "torch.empty makes a tensor where the others are.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomLinear:
    def forward(self, input):
        output = torch.empty(*input.shape[:-1], self.out_features, dtype=input.dtype)
        output[...] = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "ones_on_the_cpu",
    "A constant has no device.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        if self.bias is None:
            return output
        ones = torch.ones(*input.shape[:-1], 1, dtype=input.dtype)
        return output + ones * self.bias


@mutant(
    "everything_fetched_to_the_cpu",
    ".cpu() at the start makes a layer work anywhere.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomLinear:
    def forward(self, input):
        output = input.cpu() @ self.weight.cpu().T
        return output if self.bias is None else output + self.bias.cpu()


@mutant(
    "zeros_for_a_missing_bias",
    "A missing bias is a row of zeros, made on the spot.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        bias = torch.zeros(self.out_features, dtype=input.dtype) if self.bias is None else self.bias
        return output + bias


# --- written by somebody who had not seen the checks


@mutant(
    "bias_dtype_ignored",
    "dtype only matters for the weight; the bias is promoted anyway.",
    check="registration",
    cause="layer.dtype",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "reset_new_parameters",
    "Drawing anew means making new Parameters.",
    check="trains",
    cause="layer.stuck",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        self.weight = nn.Parameter(torch.empty_like(self.weight).uniform_(-bound, bound))
        if self.bias is not None:
            self.bias = nn.Parameter(torch.empty_like(self.bias).uniform_(-bound, bound))


@mutant(
    "forked_rng",
    "Initialisation should not disturb the global random state, so fork it.",
    check="initialisation",
    cause="drawing.repeated",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        with torch.random.fork_rng():
            nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "truncated_normal",
    "A normal draw cut at ±bound is as good as a uniform one.",
    check="initialisation",
    cause="drawing.spread_and_shape",
)
class CustomLinear:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in_features)
        nn.init.trunc_normal_(self.weight, 0.0, bound / math.sqrt(3), -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "view_of_input",
    "view(-1, in_features) works for any input.",
    check="forward",
    cause="raised.view_strides",
)
class CustomLinear:
    def forward(self, input):
        rows = input.view(-1, self.in_features)
        output = (rows @ self.weight.T).view(*input.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


@mutant(
    "single_batch_squeezed",
    "Make a vector a batch of one, and squeeze the first dimension at the end.",
    check="forward",
    cause="output.squeezed",
)
class CustomLinear:
    def forward(self, input):
        output = (torch.atleast_2d(input) @ self.weight.T).squeeze(0)
        return output if self.bias is None else output + self.bias


@mutant(
    "zero_bias_skipped",
    "Adding a bias of zeros changes nothing, so it may be skipped.",
    check="meta_device",
    cause="raised.value_on_meta",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        if self.bias is None or not self.bias.any():
            return output
        return output + self.bias


@mutant(
    "transpose_cached",
    "The transpose is a view, so it can be made once in __init__.",
    check="forward",
    cause="raised.dtypes_mixed",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        self.weight_t = self.weight.T

    def forward(self, input):
        output = input @ self.weight_t
        return output if self.bias is None else output + self.bias


@mutant(
    "no_grad_in_eval",
    "Evaluation mode means that no gradients are wanted.",
    check="by_hand",
    cause="gradient.no_graph_in_evaluation",
)
class CustomLinear:
    def forward(self, input):
        with torch.set_grad_enabled(self.training and torch.is_grad_enabled()):
            output = input @ self.weight.T
            return output if self.bias is None else output + self.bias


@mutant(
    "dtype_before_device",
    "The order of device and dtype does not matter, everyone passes them by name.",
    check="registration",
    cause="raised.arguments",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, dtype=None, device=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "gradient_hook_clamps",
    "A layer should protect itself from exploding gradients.",
    check="gradient_parity",
    cause="gradient.clipped",
)
class CustomLinear:
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = nn.Parameter(
            torch.empty(out_features, in_features, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        self.weight.register_hook(lambda gradient: gradient.clamp(-1.0, 1.0))


@mutant(
    "nan_swallowed",
    "A robust layer cleans its input of NaN and infinity.",
    check="forward_float32",
    cause="layer.nan_replaced",
)
class CustomLinear:
    def forward(self, input):
        output = torch.nan_to_num(input) @ self.weight.T
        return output if self.bias is None else output + self.bias


# --- simulated_gpu


@mutant(
    "gpu_path_without_bias",
    "On a GPU addmm is called, without its first argument.",
    check="simulated_gpu",
    cause="bias.missing",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        if input.is_cuda:
            return output
        return output if self.bias is None else output + self.bias


@mutant(
    "gpu_path_by_way_of_numpy",
    "numpy takes any tensor.",
    check="simulated_gpu",
    cause="raised.numpy_on_gpu",
)
class CustomLinear:
    def forward(self, input):
        if input.is_cuda:
            input = torch.from_numpy(input.detach().numpy()).to(input.device)
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "gpu_path_by_way_of_the_cpu",
    "A product is computed on the CPU, and its result sent back.",
    check="simulated_gpu",
    cause="gpu.many_copies",
)
class CustomLinear:
    def forward(self, input):
        output = (input.cpu() @ self.weight.cpu().T).to(input.device)
        return output if self.bias is None else output + self.bias


@mutant(
    "zeros_on_the_cpu_for_a_gpu",
    "A tensor of zeros lies wherever it is needed.",
    check="simulated_gpu",
    cause="raised.device_mismatch",
)
class CustomLinear:
    def forward(self, input):
        output = input @ self.weight.T
        zeros = torch.zeros(output.shape[-1:], dtype=output.dtype)
        if input.device.type == "meta":
            zeros = zeros.to("meta")
        return output + (zeros if self.bias is None else self.bias)


# --- gpu_parity, gpu_state, gpu_streams, gpu_half: judged on the simulated GPU where there is none


@mutant(
    "half_precision_on_a_gpu",
    "A GPU computes in half precision anyway.",
    check="gpu_parity",
    cause="value.half",
)
class CustomLinear:
    def forward(self, input):
        if input.is_cuda and input.dtype == torch.float32:
            output = (input.half() @ self.weight.half().T).float()
        else:
            output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "weight_kept_on_the_gpu",
    "A weight that has gone to the GPU stays what it is.",
    check="gpu_state",
    cause="layer.old_weights_on_gpu",
)
class CustomLinear:
    def forward(self, input):
        weight = self.weight
        if input.is_cuda:
            if not hasattr(self, "_there"):
                object.__setattr__(self, "_there", weight.clone())
            weight = self._there if not torch.is_grad_enabled() else weight
        output = input @ weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "a_stream_of_its_own",
    "A stream of its own makes a layer faster.",
    check="gpu_streams",
)
class CustomLinear:
    def forward(self, input):
        if input.is_cuda:
            with torch.cuda.stream(torch.cuda.Stream()):
                output = input @ self.weight.T
        else:
            output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "a_scale_in_float32",
    "A factor of 1 has no dtype.",
    check="gpu_half",
    cause="value.dtype",
)
class CustomLinear:
    def forward(self, input):
        output = (input @ self.weight.T) * torch.ones(1, device=input.device)
        return output if self.bias is None else output + self.bias


@mutant(
    "frozen_weight_ends_the_graph",
    "A weight that is not trained needs no graph.",
    check="trains",
    cause="layer.frozen_cuts",
)
class CustomLinear:
    def forward(self, input: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.weight.requires_grad):
            output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "closure_over_the_first_weight",
    "A function made once in the constructor knows the weight.",
    check="trains",
    cause="layer.copy_shares",
)
class CustomLinear:
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = (in_features, out_features)
        options = {"device": device, "dtype": dtype}
        self.weight = nn.Parameter(torch.empty((out_features, in_features), **options))
        self.register_parameter(
            "bias", nn.Parameter(torch.empty(out_features, **options)) if bias else None
        )
        self.reset_parameters()

        def affine(rows: Tensor) -> Tensor:
            product = torch.matmul(rows, self.weight.t())
            return product if self.bias is None else product + self.bias

        self._affine = affine

    def forward(self, input: Tensor) -> Tensor:
        return self._affine(input)


@mutant(
    "output_buffer_used_again",
    "Without gradients the memory of the output can be used again.",
    check="trains",
    cause="layer.output_overwritten",
)
class CustomLinear:
    def forward(self, input: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            output = input @ self.weight.T
            return output if self.bias is None else output + self.bias
        shape = (*input.shape[:-1], self.out_features)
        kept = self.__dict__.get("_output")
        if (
            kept is None
            or kept.shape != shape
            or kept.dtype != input.dtype
            or (kept.device != input.device)
            or (kept.is_inference() != torch.is_inference_mode_enabled())
        ):
            kept = self.__dict__["_output"] = input.new_empty(shape)
        kept.copy_(input @ self.weight.T)
        if self.bias is not None:
            kept.add_(self.bias)
        return kept


@mutant(
    "float32_unless_told",
    "The default dtype is float32.",
    check="registration",
    cause="layer.dtype",
)
class CustomLinear:
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = (in_features, out_features)
        factory = {"device": device, "dtype": dtype or torch.float32}
        self.weight = nn.Parameter(torch.empty(out_features, in_features, **factory))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_features, **factory))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_drawn_as_a_column",
    "The bias may begin as a column of the weight.",
    check="initialisation",
    cause="drawing.repeated",
)
class CustomLinear:
    @torch.no_grad()
    def reset_parameters(self) -> None:
        bound = self.in_features ** (-0.5)
        draws = torch.empty_like(self.weight).uniform_(-bound, bound)
        self.weight.copy_(draws)
        if self.bias is not None:
            self.bias.copy_(draws[:, 0])


@mutant(
    "frozen_parameters_not_reset",
    "What is frozen is not drawn anew.",
    check="initialisation",
    cause="layer.frozen_not_reset",
)
class CustomLinear:
    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in_features)
        for parameter in self.parameters():
            if parameter.requires_grad:
                nn.init.uniform_(parameter, -bound, bound)


@mutant(
    "reset_thaws_the_weight",
    "What is drawn anew is trained anew.",
    check="initialisation",
    cause="layer.reset_thaws",
)
class CustomLinear:
    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in_features)
        nn.init.uniform_(self.weight.requires_grad_(), -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "large_batches_in_parts_without_bias",
    "What is done in parts has had its bias.",
    check="forward",
    cause="bias.missing",
)
class CustomLinear:
    def forward(self, input: Tensor) -> Tensor:
        if input.dim() == 2 and len(input) > 512:
            return torch.cat([part @ self.weight.T for part in input.split(512)])
        output = input @ self.weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "wide_layers_in_two_halves",
    "Every number has two equal halves.",
    check="forward",
)
class CustomLinear:
    def forward(self, input: Tensor) -> Tensor:
        weight, half = self.weight, self.in_features // 2
        if self.in_features > 512:
            output = input[..., :half] @ weight[:, :half].T
            output = output + input[..., half : 2 * half] @ weight[:, half : 2 * half].T
        else:
            output = input @ weight.T
        return output if self.bias is None else output + self.bias


@mutant(
    "zero_bias_not_added",
    "Adding zeros changes nothing.",
    check="trains",
    cause="layer.zeros_skipped",
)
class CustomLinear:
    def forward(self, input: Tensor) -> Tensor:
        output = input @ self.weight.T
        if self.bias is None or (self.bias.device.type == "cpu" and not self.bias.any()):
            return output
        return output + self.bias


@mutant(
    "product_kept_within_a_million",
    "Values beyond a million are mistakes, and are cut off.",
    check="forward_float32",
    cause="layer.large_replaced",
)
class CustomLinear:
    def forward(self, input: Tensor) -> Tensor:
        output = (input @ self.weight.T).clamp(-1e6, 1e6)
        return output if self.bias is None else output + self.bias
