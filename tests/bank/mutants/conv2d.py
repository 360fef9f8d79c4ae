"""Wrong convolutions, each in the place of the solution's own function or methods."""

from autograder.bank import mutant


# --- output_size


@mutant(
    "size_rounded_up",
    "A window that hangs over the edge counts as well.",
    check="output_size",
    cause="conv2d.size.rounded_up",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return -(-(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1


@mutant(
    "size_rounded_to_nearest",
    "int and round do the same to a fraction.",
    check="output_size",
    cause="conv2d.size.result_to_nearest",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return round((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


@mutant(
    "size_is_a_float",
    "A size that comes out whole is an int.",
    check="output_size",
    cause="raised.float_size",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1


@mutant(
    "size_without_the_one",
    "The number of steps is the number of windows.",
    check="output_size",
    cause="conv2d.size.one_missing",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride


@mutant(
    "size_with_the_one_inside",
    "⌊(a + stride) / stride⌋ and ⌊(a + 1) / stride⌋ are the same.",
    check="output_size",
    cause="conv2d.size.one_inside",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1)) // stride


@mutant(
    "size_with_padding_once",
    "Padding is the total that is added to an axis.",
    check="output_size",
    cause="conv2d.padding.one_side",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


@mutant(
    "size_without_dilation",
    "Dilation spreads the kernel, not the window.",
    check="output_size",
    cause="conv2d.window.dilation_ignored",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - kernel_size) // stride + 1


@mutant(
    "size_with_a_dilated_kernel",
    "A kernel of k taps spans dilation·k pixels.",
    check="output_size",
    cause="conv2d.window.dilation_times_kernel",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * kernel_size) // stride + 1


@mutant(
    "size_without_stride",
    "The stride moves the window, it does not make fewer of them.",
    check="output_size",
    cause="conv2d.stride.ignored",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return size + 2 * padding - dilation * (kernel_size - 1)


@mutant(
    "size_divided_first",
    "The floor is of size / stride.",
    check="output_size",
    cause="conv2d.size.divided_first",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding) // stride - dilation * (kernel_size - 1)


@mutant(
    "size_is_a_tensor",
    "Everything in PyTorch is a tensor, sizes too.",
    check="output_size",
    cause="value.item",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return torch.tensor((size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)


# --- im2col


@mutant(
    "columns_with_taps_first",
    "Rows run over the taps, and over the channels within a tap.",
    check="im2col",
    cause="conv2d.im2col.order_of_rows",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.cat(taps, dim=1).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_by_reshape",
    "reshape sorts the dimensions into the order that is asked for.",
    check="im2col",
    cause="conv2d.im2col.order",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=-1).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_with_the_kernel_transposed",
    "x comes before y, so the taps run down the columns of the kernel.",
    check="im2col",
    cause="conv2d.im2col.order_of_rows",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for j in range(kw)
        for i in range(kh)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_with_the_kernel_flipped",
    "A convolution flips its kernel, as in mathematics.",
    check="im2col",
    cause="conv2d.im2col.taps_reversed",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in reversed(range(kh))
        for j in reversed(range(kw))
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_as_rows",
    "One window is one row: (N, L, C·KH·KW).",
    check="im2col",
    cause="conv2d.im2col.transposed",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow).transpose(1, 2)


@mutant(
    "columns_of_windows_down_the_image",
    "The window moves down first, then to the right.",
    check="im2col",
    cause="conv2d.im2col.order_of_columns",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).transpose(-1, -2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_not_flattened",
    "Six dimensions are as good as three; the caller can reshape.",
    check="im2col",
    cause="shape.rearranged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c, kh, kw, oh, ow)


@mutant(
    "columns_of_the_whole_batch",
    "The samples' windows lie side by side in one large matrix.",
    check="im2col",
    cause="conv2d.im2col.samples_merged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, -1).transpose(0, 1).flatten(1)


@mutant(
    "columns_of_the_first_channel",
    "An image has one channel.",
    check="im2col",
    cause="conv2d.channels.first_for_all",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input[:, :1].expand(-1, c, -1, -1), (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_of_the_first_image",
    "The batch is a loop outside; here there is one image.",
    check="im2col",
    cause="conv2d.batch.first_for_all",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input[:1].expand(n, -1, -1, -1), (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "stride_of_rows_and_columns_swapped",
    "A pair is (horizontal, vertical), as x and y.",
    check="im2col",
    cause="conv2d.stride.axes_exchanged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sw, sh), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_of_rows_and_columns_swapped",
    "F.pad takes the dimensions in their order, the first one first.",
    check="im2col",
    cause="conv2d.padding.axes_exchanged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (ph, ph, pw, pw))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_of_four_numbers_misread",
    "F.pad takes (left, top, right, bottom).",
    check="im2col",
    cause="conv2d.padding.order_of_sides",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, ph, pw, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "dilation_of_rows_and_columns_swapped",
    "A pair is (horizontal, vertical), as x and y.",
    check="im2col",
    cause="conv2d.dilation.axes_exchanged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dw, dh) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "kernel_rows_and_columns_swapped",
    "A kernel size is (width, height), as for images in other libraries.",
    check="im2col",
    cause="conv2d.kernel.sides_exchanged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kw, kh), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "first_stride_for_both",
    "A stride is one number, the first of the pair.",
    check="im2col",
    cause="conv2d.stride.vertical_for_both",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    sw = sh
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "first_padding_for_both",
    "Padding is the same all around.",
    check="im2col",
    cause="conv2d.padding.vertical_for_both",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    pw = ph
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "a_pair_is_its_first_number",
    "Geometry is square.",
    check="im2col",
    cause="conv2d.kernel.height_for_both",
)
def pair(value):
    return (value, value) if isinstance(value, int) else (value[0], value[0])


@mutant(
    "a_pair_is_horizontal_first",
    "Coordinates are (x, y), so pairs are (horizontal, vertical).",
    check="im2col",
    cause="parameter.kernel_exchanged",
)
def pair(value):
    return (value, value) if isinstance(value, int) else (value[1], value[0])


@mutant(
    "numbers_only",
    "kernel_size, stride, padding and dilation are numbers.",
    check="im2col",
    cause="conv2d.geometry.number_or_pair",
)
def pair(value):
    return (value, value)


@mutant(
    "pairs_only",
    "kernel_size, stride, padding and dilation are pairs.",
    check="im2col",
    cause="conv2d.geometry.number_or_pair",
)
def pair(value):
    return (value[0], value[1])


@mutant(
    "dilation_ignored_between_the_taps",
    "Dilation changes the size of the output, and that is all.",
    check="im2col",
    cause="conv2d.dilation.ignored",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[:, :, i : i + (oh - 1) * sh + 1 : sh, j : j + (ow - 1) * sw + 1 : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "stride_ignored_between_the_windows",
    "The output size takes care of the stride.",
    check="im2col",
    cause="conv2d.stride.ignored",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[:, :, i * dh : i * dh + oh, j * dw : j * dw + ow]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "dilation_used_as_the_stride",
    "Stride and dilation both skip pixels, so they are the same thing.",
    check="im2col",
    cause="conv2d.stride.exchanged_with_dilation",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * sh : i * sh + (oh - 1) * dh + 1 : dh, j * sw : j * sw + (ow - 1) * dw + 1 : dw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "stop_of_the_slice_too_early",
    "The stop of a slice is included.",
    check="im2col",
    cause="conv2d.im2col.slice_too_short",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[:, :, i * dh : i * dh + (oh - 1) * sh : sh, j * dw : j * dw + (ow - 1) * sw : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "slices_to_the_end",
    "Every tap sees the image to its end; the strides make the sizes equal.",
    check="im2col",
    cause="conv2d.taps.sizes_differ",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :,
            :,
            i * dh : padded.shape[2] - (kh - 1 - i) : sh,
            j * dw : padded.shape[3] - (kw - 1 - j) : sw,
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_below_and_right_only",
    "Padding only has to make the image large enough, so all of it can go to one end.",
    check="im2col",
    cause="conv2d.padding.bottom_right_only",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (0, 2 * pw, 0, 2 * ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_twice",
    "2·padding is added on either side.",
    check="im2col",
    cause="conv2d.padding.top_left_doubled",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (2 * pw, 2 * pw, 2 * ph, 2 * ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_above_and_left_only",
    "Padding shifts the image into the corner.",
    check="im2col",
    cause="conv2d.padding.top_left_doubled",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (2 * pw, 0, 2 * ph, 0))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_repeats_the_edge",
    "Padding continues the picture beyond its edge.",
    check="im2col",
    cause="conv2d.padding.edge_repeated",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph), mode="replicate")

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_mirrors",
    "Padding mirrors the picture at its edge.",
    check="im2col",
    cause="conv2d.padding.edge_mirrored",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph), mode="reflect")

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_with_ones",
    "The value of the padding does not matter.",
    check="im2col",
    cause="conv2d.padding.ones",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph), value=1.0)

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_with_the_mean",
    "The neutral value of a picture is its mean.",
    check="im2col",
    cause="conv2d.padding.mean_of_channel",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    mean = input.mean(dim=(2, 3), keepdim=True)
    padded = F.pad(input - mean, (pw, pw, ph, ph)) + mean

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "windows_of_memory_without_its_strides",
    "A tensor lies in memory in the order of its dimensions.",
    check="im2col",
    cause="memory.strides",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    if ph == pw == 0:
        padded = input
    _, _, hp, wp = padded.shape
    windows = padded.as_strided(
        (n, c, kh, kw, oh, ow), (c * hp * wp, hp * wp, dh * wp, dw, sh * wp, sw)
    )
    return windows.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "windows_of_memory_from_its_beginning",
    "as_strided starts where the tensor starts, so the offset may be 0.",
    check="im2col",
    cause="memory.offset",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    if ph == pw == 0:
        padded = input
    s0, s1, s2, s3 = padded.stride()
    windows = padded.as_strided(
        (n, c, kh, kw, oh, ow), (s0, s1, dh * s2, dw * s3, sh * s2, sw * s3), 0
    )
    return windows.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "windows_side_by_side",
    "Windows do not overlap: they are blocks of the image.",
    check="im2col",
    cause="conv2d.windows.side_by_side",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        F.pad(padded, (0, ow * kw, 0, oh * kh))[:, :, i::kh, j::kw][:, :, :oh, :ow]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_in_float32",
    "A new buffer has the dtype of what is written into it.",
    check="im2col",
    cause="value.dtype",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    columns = torch.empty(n, c, kh * kw, oh, ow, device=input.device)
    for k, tap in enumerate(taps):
        columns[:, :, k] = tap
    return columns.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_stacked_in_front",
    "reshape puts every dimension where it belongs, wherever the taps were stacked.",
    check="im2col",
    cause="conv2d.im2col.samples_not_first",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=0).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "height_and_width_of_the_input_swapped",
    "An input is (N, C, W, H).",
    check="im2col",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, w, h = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


# --- im2col_gradient


@mutant(
    "columns_of_detached_pixels",
    "Unrolling is only moving data about, so it needs no gradient.",
    check="im2col_gradient",
    cause="gradient.no_graph",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input.detach(), (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_without_recording",
    "im2col is preprocessing and belongs under no_grad.",
    check="im2col_gradient",
    cause="gradient.no_graph",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    with torch.no_grad():
        return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "columns_by_numpy",
    "numpy's sliding windows are the quick way, and numpy and torch are interchangeable.",
    check="im2col_gradient",
    cause="gradient.no_graph",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    import numpy as np

    columns = np.stack([tap.detach().numpy() for tap in taps], axis=2)
    return torch.from_numpy(columns.reshape(n, c * kh * kw, oh * ow))


@mutant(
    "columns_written_through_data",
    "Writing through .data is how one fills a tensor.",
    check="im2col_gradient",
    cause="gradient.no_graph",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    columns = padded.new_empty(n, c, kh * kw, oh, ow)
    for k, tap in enumerate(taps):
        columns.data[:, :, k] = tap.data
    return columns.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "overlapping_gradients_overwritten",
    "On the way back each column is put where it came from; no pixel is there twice.",
    check="im2col_gradient",
    cause="conv2d.overlap.overwritten",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    places = [
        (
            ...,
            slice(i * dh, i * dh + (oh - 1) * sh + 1, sh),
            slice(j * dw, j * dw + (ow - 1) * sw + 1, sw),
        )
        for i in range(kh)
        for j in range(kw)
    ]

    class Unroll(torch.autograd.Function):
        @staticmethod
        def forward(ctx, image):
            ctx.shape = image.shape
            return torch.stack([image[place] for place in places], dim=2)

        @staticmethod
        def backward(ctx, upstream):
            gradient = upstream.new_zeros(ctx.shape)
            for k, place in enumerate(places):
                gradient[place] = upstream[:, :, k]
            return gradient

    return Unroll.apply(padded).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "overlapping_gradients_averaged",
    "A pixel in several windows gets the mean of their gradients.",
    check="im2col_gradient",
    cause="conv2d.overlap.averaged",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    places = [
        (
            ...,
            slice(i * dh, i * dh + (oh - 1) * sh + 1, sh),
            slice(j * dw, j * dw + (ow - 1) * sw + 1, sw),
        )
        for i in range(kh)
        for j in range(kw)
    ]

    class Unroll(torch.autograd.Function):
        @staticmethod
        def forward(ctx, image):
            ctx.shape = image.shape
            return torch.stack([image[place] for place in places], dim=2)

        @staticmethod
        def backward(ctx, upstream):
            gradient, windows = upstream.new_zeros(ctx.shape), upstream.new_zeros(ctx.shape)
            for k, place in enumerate(places):
                gradient[place] += upstream[:, :, k]
                windows[place] += 1
            return gradient / windows.clamp(min=1)

    return Unroll.apply(padded).reshape(n, c * kh * kw, oh * ow)


# --- im2col_by_hand


@mutant(
    "im2col_calls_f_unfold",
    "F.unfold is a helper, the product is what is done by hand.",
    check="im2col_by_hand",
    cause="by_hand.ready_made",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return F.unfold(input, (kh, kw), (dh, dw), (ph, pw), (sh, sw))


@mutant(
    "im2col_calls_nn_unfold",
    "nn.Unfold is a layer, not the forbidden function.",
    check="im2col_by_hand",
    cause="by_hand.ready_made",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return nn.Unfold((kh, kw), (dh, dw), (ph, pw), (sh, sw))(input)


@mutant(
    "im2col_calls_the_aten_operator",
    "torch.ops is below the library, so it is by hand.",
    check="im2col_by_hand",
    cause="by_hand.ready_made",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.ops.aten.im2col(input, [kh, kw], [dh, dw], [ph, pw], [sh, sw])


@mutant(
    "im2col_unfolds_the_padded_image",
    "Padding oneself makes the rest by hand.",
    check="im2col_by_hand",
    cause="by_hand.ready_made",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return getattr(F, "un" + "fold")(padded, (kh, kw), dilation=(dh, dw), stride=(sh, sw))


# --- registration


@mutant(
    "weight_is_a_plain_tensor",
    "A tensor that requires a gradient is a parameter.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = torch.empty(
            out_channels,
            in_channels,
            *self.kernel_size,
            device=device,
            dtype=dtype,
            requires_grad=True,
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "weight_with_kernel_sides_swapped",
    "A kernel is (KW, KH).",
    check="registration",
    cause="value.exchanged",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(
                out_channels, in_channels, *self.kernel_size[::-1], device=device, dtype=dtype
            )
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "weight_with_channels_swapped",
    "A weight is (in, out, KH, KW).",
    check="registration",
    cause="parameter.in_out_exchanged",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(in_channels, out_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.transpose(0, 1).flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "weight_kept_flat",
    "The product needs a matrix, so the weight is one.",
    check="registration",
    cause="parameter.arranged",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(
                out_channels, in_channels * math.prod(self.kernel_size), device=device, dtype=dtype
            )
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "weight_without_input_channels",
    "A filter is one picture, and it is laid over every channel.",
    check="registration",
    cause="parameter.dimensions",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1).repeat(1, input.shape[1]) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "weight_of_one_filter",
    "Every output channel has the same filter.",
    check="registration",
    cause="parameter.size",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(1, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output.expand(-1, self.bias.numel(), -1)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "weight_called_kernel",
    "The name of an attribute is a matter of taste.",
    check="registration",
    cause="layer.names",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.kernel = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.kernel[0].numel())
        nn.init.uniform_(self.kernel, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.kernel.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "weight_wrapped_then_moved",
    "nn.Parameter(...).to(...) is still a parameter.",
    check="registration",
    cause="layer.parameter_missing",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size))
        self.weight = weight.to(device, dtype)
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_shaped_for_broadcasting",
    "The bias is stored in the shape in which it is added.",
    check="registration",
    cause="parameter.arranged",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, 1, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_is_one_number",
    "A layer has one bias; broadcasting gives it to every channel.",
    check="registration",
    cause="parameter.one_number",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(1, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_for_input_channels",
    "There is one bias for every input channel.",
    check="registration",
    cause="parameter.size",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(in_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "bias_argument_ignored",
    "Every layer has a bias, whatever bias says.",
    check="registration",
    cause="layer.bias_despite_false",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        self.reset_parameters()


@mutant(
    "bias_is_false",
    "The attribute bias holds what the argument bias was.",
    check="registration",
    cause="raised.bool_for_parameter",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.bias = False
        self.reset_parameters()


@mutant(
    "no_bias_is_zeros",
    "Without a bias there is a bias of zeros.",
    check="registration",
    cause="layer.extra_state",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_buffer("bias", torch.empty(out_channels, device=device, dtype=dtype))
        self.reset_parameters()
        if not bias:
            self.bias.zero_()


@mutant(
    "no_bias_is_a_plain_attribute",
    "self.bias = None registers the name.",
    check="registration",
    cause="layer.none_not_registered",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.bias = None
        self.reset_parameters()


@mutant(
    "dtype_ignored",
    "The dtype of a layer follows from its input.",
    check="registration",
    cause="layer.dtype",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "square_kernels_only",
    "A kernel is square.",
    check="registration",
    cause="parameter.kernel_size",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(
                out_channels,
                in_channels,
                self.kernel_size[0],
                self.kernel_size[0],
                device=device,
                dtype=dtype,
            )
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "a_stock_layer_inside",
    "Wrapping nn.Conv2d is implementing it.",
    check="registration",
    cause="layer.ready_made_inside",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.layer = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            bias=bias,
            device=device,
            dtype=dtype,
        )
        self.__dict__["weight"], self.__dict__["bias"] = self.layer.weight, self.layer.bias


@mutant(
    "geometry_registered_as_parameters",
    "Everything a layer knows belongs into its state dict.",
    check="registration",
    cause="layer.extra_state",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.register_buffer("geometry", torch.tensor([*self.stride, *self.padding]))
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
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
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            pass
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_of_the_first_channel_for_all",
    "A bias is one number.",
    check="forward",
    cause="bias.one_entry",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[0]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_for_every_tap",
    "The bias is added to each product of the sum.",
    check="forward",
    cause="conv2d.bias.for_every_tap",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None] * kh * kw
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_along_the_windows",
    "Broadcasting finds the axis that a bias belongs to.",
    check="forward",
    cause="raised.broadcasting",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_added_even_if_none",
    "There is always a bias.",
    check="forward",
    cause="raised.bias_none",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_added_to_the_columns",
    "The bias belongs to the input of the product.",
    check="forward",
    cause="layer.shifted",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        if self.bias is not None:
            columns = columns + self.bias.mean()
        output = self.weight.flatten(1) @ columns
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "kernel_flipped",
    "A convolution flips its kernel, as in mathematics.",
    check="forward",
    cause="conv2d.kernel.flipped",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flip(2, 3).flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "kernel_transposed",
    "A weight is multiplied from the right, so its kernel has to be transposed.",
    check="forward",
    cause="conv2d.kernel.transposed",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.transpose(2, 3).flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "filters_cut_the_other_way",
    "reshape(-1, out).T is reshape(out, -1).",
    check="forward",
    cause="conv2d.filters.cut_wrongly",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.reshape(-1, self.weight.shape[0]).T @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "filters_with_taps_before_channels",
    "The order within a row is free, as long as it is an order.",
    check="forward",
    cause="conv2d.filters.order",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.permute(0, 2, 3, 1).flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "channels_averaged",
    "An output channel is the mean over the input channels.",
    check="forward",
    cause="conv2d.channels.averaged",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns / self.weight.shape[1]
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "taps_averaged",
    "A window is averaged, as by a blur.",
    check="forward",
    cause="conv2d.taps.averaged",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns / (kh * kw)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "first_channel_only",
    "An image has one channel.",
    check="forward",
    cause="conv2d.channels.first_only",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight[:, 0].flatten(1) @ columns[:, : kh * kw]
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "first_image_for_all",
    "columns[0] are the columns.",
    check="forward",
    cause="conv2d.batch.first_for_all",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = (self.weight.flatten(1) @ columns[0]).expand(n, -1, -1)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "batch_folded_into_the_windows",
    "A matrix product over all windows of the batch can be cut by reshape.",
    check="forward",
    cause="conv2d.output.reshaped",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns.transpose(0, 1).flatten(1)
        output = output.reshape(n, self.weight.shape[0], -1)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "output_width_before_height",
    "The output is (N, C, OW, OH).",
    check="forward",
    cause="value.exchanged",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        return output.reshape(n, -1, output_size(w, kw, sw, pw, dw), output_size(h, kh, sh, ph, dh))


@mutant(
    "output_left_in_columns",
    "(N, out, L) is the result; the image comes back by itself.",
    check="forward",
    cause="conv2d.output.not_folded",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        return output


@mutant(
    "output_is_square",
    "Images are square, so the side is the root of the number of windows.",
    check="forward",
    cause="raised.view_size",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        side = math.isqrt(output.shape[-1])
        return output.reshape(n, -1, side, side)


@mutant(
    "output_channels_last",
    "(N, OH, OW, C) and (N, C, OH, OW) hold the same numbers.",
    check="forward",
    cause="conv2d.output.reshaped",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.transpose(1, 2).reshape(n, -1, oh, ow)


@mutant(
    "output_squeezed",
    "Dimensions of size one carry nothing.",
    check="forward",
    cause="output.squeezed",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, -1, oh, ow).squeeze()


@mutant(
    "relu_baked_in",
    "A convolution includes its activation.",
    check="forward",
    cause="output.relu",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        output = output.relu()
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "stride_not_passed_on",
    "Keeping the stride in the layer is using it.",
    check="forward",
    cause="conv2d.stride.ignored",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        sh = sw = 1
        columns = im2col(input, self.kernel_size, 1, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "padding_not_passed_on",
    "Keeping the padding in the layer is using it.",
    check="forward",
    cause="conv2d.padding.ignored",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        ph = pw = 0
        columns = im2col(input, self.kernel_size, self.stride, 0, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "dilation_not_passed_on",
    "Dilation is for experts and always 1.",
    check="forward",
    cause="conv2d.dilation.ignored",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        dh = dw = 1
        columns = im2col(input, self.kernel_size, self.stride, self.padding)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "stride_and_padding_exchanged",
    "im2col takes padding before stride.",
    check="forward",
    cause="conv2d.arguments.order_of_im2col",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.padding, self.stride, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "padding_in_the_layer_and_in_im2col",
    "The layer pads its input before it is unrolled, with padding.",
    check="forward",
    cause="conv2d.padding.twice",
)
class CustomConv2d:
    def forward_im2col(self, input):
        input = F.pad(input, (self.padding[1],) * 2 + (self.padding[0],) * 2)
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "padding_defaults_to_same",
    "A convolution keeps the size of its input unless told otherwise.",
    check="forward",
    cause="conv2d.padding.too_large",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding) if padding else tuple(k // 2 for k in self.kernel_size)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "batch_of_one_only",
    "The batch size is a constant of the program.",
    check="forward",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        return output.reshape(1, -1, output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw))


@mutant(
    "everything_in_float32",
    "Neural networks compute in float32, whatever comes in.",
    check="forward",
    cause="value.float32",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = (self.weight.flatten(1).float() @ columns.float()).to(input.dtype)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "new_weights_in_every_forward",
    "The layer is built where it is used.",
    check="forward",
    cause="layer.forward_changes_parameters",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        self.reset_parameters()
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "forward_scales_what_forward_im2col_does_not",
    "The GPU path gives other numbers anyway, so the two need not agree.",
    check="forward",
    cause="value.factor",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input) / math.sqrt(self.kernel_size[0] * self.kernel_size[1])


@mutant(
    "input_padded_in_place",
    "The border of the input is free to be used as padding.",
    check="forward",
    cause="layer.changes_input",
)
class CustomConv2d:
    def forward_im2col(self, input):
        with torch.no_grad():
            input[..., 0] = 0
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


# --- forward_float32


@mutant(
    "columns_in_float64",
    "A buffer in float64 is exact, and fits everything.",
    check="forward_float32",
    cause="value.dtype",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1).double() @ columns.double()
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "autocast_inside_the_layer",
    "bfloat16 is float32, only faster.",
    check="forward_float32",
    cause="value.half",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "accumulator_in_float64",
    "torch.zeros(..., dtype=torch.float64) is the neutral start of any sum.",
    check="forward_float32",
    cause="value.dtype",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            start = torch.zeros(1, device=input.device, dtype=torch.float64)
            output = output + (start + self.bias)[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


# --- gradient_parity


@mutant(
    "weight_by_data",
    "The forward pass needs values only, so .data is the clean way to read a parameter.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.data.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_detached",
    "The bias is a constant, it needs no gradient.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias.detach()[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "forward_without_recording",
    "forward runs under no_grad; backward does the rest.",
    check="gradient_parity",
    cause="gradient.no_graph",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        with torch.no_grad():
            return self.forward_im2col(input)


@mutant(
    "input_made_a_leaf",
    "requires_grad_() on a copy of the input connects it to the graph.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        leaf = input.detach().clone().requires_grad_()
        columns = im2col(leaf, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "weight_copied",
    "A copy of a parameter is connected to it.",
    check="gradient_parity",
    cause="gradient.cut",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        matrix = torch.zeros(self.weight.flatten(1).shape).to(self.weight)
        for row, filter in zip(matrix, self.weight):
            row[:] = filter.detach().flatten()
        output = matrix @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "upstream_clipped",
    "A layer protects itself from large gradients.",
    check="gradient_parity",
    cause="gradient.upstream_clipped",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient.clamp(-0.5, 0.5))
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "backward_ignores_the_upstream_gradient",
    "The gradient of a layer is its own derivative; what comes from above is 1.",
    check="gradient_parity",
    cause="gradient.of_sum",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if output.requires_grad:
            output.register_hook(torch.ones_like)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "backward_averages_the_batch",
    "The weight gradient is the mean over the samples.",
    check="gradient_parity",
    cause="gradient.batch_averaged",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)

        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, filters, columns):
                ctx.save_for_backward(filters, columns)
                return filters @ columns

            @staticmethod
            def backward(ctx, upstream):
                filters, columns = ctx.saved_tensors
                return (upstream @ columns.mT).mean(dim=0), filters.T @ upstream

        output = Product.apply(self.weight.flatten(1), columns)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "backward_of_the_first_sample",
    "One sample tells where the loss falls.",
    check="gradient_parity",
    cause="gradient.first_sample",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)

        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, filters, columns):
                ctx.save_for_backward(filters, columns)
                return filters @ columns

            @staticmethod
            def backward(ctx, upstream):
                filters, columns = ctx.saved_tensors
                return upstream[0] @ columns[0].T, filters.T @ upstream

        output = Product.apply(self.weight.flatten(1), columns)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "backward_averages_the_windows",
    "A weight that is used at every window gets the mean of their gradients.",
    check="gradient_parity",
    cause="gradient.positions_averaged",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        filters = self.weight.flatten(1)
        if filters.requires_grad:
            filters.register_hook(lambda gradient: gradient / columns.shape[-1])
        output = filters @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


# --- gradcheck


@mutant(
    "backward_with_the_kernel_flipped",
    "Backward of a convolution flips the kernel, also where columns are multiplied.",
    check="gradcheck",
    cause="conv2d.backward.kernel_flipped",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)

        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, filters, columns):
                ctx.save_for_backward(filters, columns)
                return filters @ columns

            @staticmethod
            def backward(ctx, upstream):
                filters, columns = ctx.saved_tensors
                return (upstream @ columns.mT).sum(dim=0), filters.flip(1).T @ upstream

        output = Product.apply(self.weight.flatten(1), columns)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "backward_with_the_sign_of_descent",
    "backward returns the direction of descent, so it carries a minus.",
    check="gradcheck",
    cause="gradient.sign",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if output.requires_grad:
            output.register_hook(torch.neg)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "bias_gradient_averaged",
    "The bias gradient is the mean of the upstream gradient over the windows.",
    check="gradcheck",
    cause="gradient.positions_averaged",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            bias = self.bias[:, None].expand(-1, output.shape[-1])
            output = output + (bias / output.shape[-1] + (bias - bias / output.shape[-1]).detach())
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "backward_frees_what_it_needs_again",
    "The columns are large and backward runs once, so it may delete them.",
    check="gradcheck",
    cause="raised.ctx",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)

        class Product(torch.autograd.Function):
            @staticmethod
            def forward(ctx, filters, columns):
                ctx.filters, ctx.columns = filters, columns
                return filters @ columns

            @staticmethod
            def backward(ctx, upstream):
                grad_filters = (upstream @ ctx.columns.mT).sum(dim=0)
                grad_columns = ctx.filters.T @ upstream
                del ctx.columns
                return grad_filters, grad_columns

        output = Product.apply(self.weight.flatten(1), columns)
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


# --- by_hand


@mutant(
    "forward_im2col_calls_f_conv2d",
    "What counts is the result; F.conv2d has it.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)


@mutant(
    "forward_calls_f_conv2d_everywhere",
    "The fused backend is allowed, so it is allowed on the CPU.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward(self, input):
        if not input.is_meta:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)


@mutant(
    "forward_chooses_the_wrong_path",
    "is_cuda says that the tensor is still to be moved to the GPU.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward(self, input):
        if not input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)


@mutant(
    "forward_im2col_by_conv3d",
    "A three-dimensional convolution is not the forbidden two-dimensional one.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        return F.conv3d(
            input[:, :, None],
            self.weight[:, :, None],
            self.bias,
            (1, *self.stride),
            (0, *self.padding),
            (1, *self.dilation),
        )[:, :, 0]


@mutant(
    "product_by_a_pointwise_convolution",
    "A convolution with a 1×1 kernel is a matrix product.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = F.conv1d(columns, self.weight.flatten(1)[:, :, None])
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "im2col_by_an_identity_convolution",
    "A convolution that only copies pixels is not a convolution.",
    check="by_hand",
    cause="by_hand.ready_made",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    size = c * kh * kw
    copies = torch.eye(size, device=input.device, dtype=input.dtype).reshape(size, c, kh, kw)
    return F.conv2d(padded, copies, stride=(sh, sw), dilation=(dh, dw)).flatten(2)


@mutant(
    "borrows_the_forward_of_nn_conv2d",
    "Calling another class's forward is reuse.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        self.groups, self.padding_mode = 1, "zeros"
        return nn.Conv2d._conv_forward(self, input, self.weight, self.bias)


@mutant(
    "forward_im2col_by_the_aten_operator",
    "torch.ops is below the library, so it is by hand.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        return torch.ops.aten.convolution(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            False,
            [0, 0],
            1,
        )


# --- initialisation


@mutant(
    "starts_at_zero",
    "Zero is the neutral start.",
    check="initialisation",
    cause="drawing.constant",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_standard_normal",
    "torch.randn is how weights are drawn.",
    check="initialisation",
    cause="drawing.randn",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_normal_with_the_right_spread",
    "Only the variance of the distribution matters.",
    check="initialisation",
    cause="drawing.normal_for_uniform",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.normal_(self.weight, 0, bound / math.sqrt(3))
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "starts_positive",
    "A filter detects something that is there, so its weights are positive.",
    check="initialisation",
    cause="drawing.positive",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, 0, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_without_the_kernel_area",
    "Fan-in is the number of input channels.",
    check="initialisation",
    cause="drawing.fan_in.input_channels",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight.shape[1])
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_with_the_kernel_perimeter",
    "A kernel of side k has 2·k taps.",
    check="initialisation",
    cause="drawing.fan_in.sides_added",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight.shape[1] * sum(self.kernel_size))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_with_a_square_kernel",
    "A kernel is square, so its area is its height squared.",
    check="initialisation",
    cause="drawing.fan_in.height_squared",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight.shape[1] * self.kernel_size[0] ** 2)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_of_fan_out",
    "Fan-in is counted at the output.",
    check="initialisation",
    cause="drawing.fan_in.fan_out",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[:, 0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_of_kaiming",
    "nn.Conv2d starts with the Kaiming bound √(6/fan_in).",
    check="initialisation",
    cause="drawing.kaiming_for_relu",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = math.sqrt(6 / self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bound_without_the_root",
    "The bound is 1/fan_in.",
    check="initialisation",
    cause="drawing.root_missing",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / self.weight[0].numel()
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "bias_starts_at_zero",
    "A bias always starts at zero.",
    check="initialisation",
    cause="drawing.constant",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


@mutant(
    "bias_bound_of_the_channels",
    "The bias has out_channels elements, so its fan is out_channels.",
    check="initialisation",
    cause="drawing.fan_of_bias",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.bias.numel())
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "one_filter_for_all",
    "Every filter may start alike; training will tell them apart.",
    check="initialisation",
    cause="drawing.repeated",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        self.weight.data.copy_(self.weight.data[:1].expand_as(self.weight).clone())
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "one_kernel_for_all_channels",
    "A filter looks for the same pattern in every channel.",
    check="initialisation",
    cause="drawing.repeated",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        self.weight.data.copy_(self.weight.data[:, :1].expand_as(self.weight).clone())
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


@mutant(
    "never_initialised",
    "torch.empty draws random numbers.",
    check="initialisation",
    cause="value.not_finite",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)


@mutant(
    "always_the_same_start",
    "A seed inside the layer makes it reproducible, and that is all it does.",
    check="initialisation",
    cause="drawing.second_reset",
)
class CustomConv2d:
    def reset_parameters(self):
        bound = 1 / math.sqrt(self.weight[0].numel())
        torch.manual_seed(42)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)


# --- trains


@mutant(
    "filters_cached_at_the_first_call",
    "The weight does not change between calls, so the matrix can be kept.",
    check="trains",
    cause="layer.kept_from_before",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        if not hasattr(self, "matrix"):
            self.matrix = self.weight.flatten(1).clone()
        output = self.matrix @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "parameter_replaced_in_forward",
    "A new nn.Parameter with the same values is the same parameter.",
    check="trains",
    cause="layer.new_parameter",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        self.weight = nn.Parameter(self.weight.detach().clone())
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "columns_cached_by_shape",
    "Unrolling is slow, and inputs of the same shape have the same columns.",
    check="trains",
    cause="layer.ignores_input",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        if getattr(self, "seen", None) != input.shape:
            self.seen = input.shape
            self.columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        columns = self.columns
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "gradients_added_up_in_the_layer",
    "Gradients accumulate, so the layer keeps the running sum itself.",
    check="trains",
    cause="gradient.accumulated",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        matrix = self.weight.flatten(1)
        total = self.__dict__.setdefault("total", torch.zeros_like(matrix.detach()))

        def add_up(gradient: Tensor) -> Tensor:
            total.add_(gradient)
            return total.clone()

        if matrix.requires_grad:
            matrix.register_hook(add_up)
        output = matrix @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


# --- meta_device


@mutant(
    "device_ignored",
    "The device of a layer is chosen by .to() afterwards, so the argument may wait.",
    check="meta_device",
    cause="layer.device",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "columns_buffer_on_the_cpu",
    "torch.empty makes a tensor where the others are.",
    check="meta_device",
    cause="raised.device_mismatch",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    columns = torch.empty(n, c, kh * kw, oh, ow, dtype=input.dtype)
    for k, tap in enumerate(taps):
        columns[:, :, k] = tap
    return columns.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_canvas_on_the_cpu",
    "A canvas of zeros has no device.",
    check="meta_device",
    cause="raised.device_mismatch",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = torch.zeros(n, c, h + 2 * ph, w + 2 * pw, dtype=input.dtype)
    padded[:, :, ph : ph + h, pw : pw + w] = input

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "output_buffer_on_the_cpu",
    "The result is collected image by image, in a tensor of one's own.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = torch.zeros(n, self.weight.shape[0], columns.shape[-1], dtype=input.dtype)
        for i in range(n):
            output[i] = self.weight.flatten(1) @ columns[i]
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "everything_fetched_to_the_cpu",
    ".cpu() at the start makes a layer work anywhere.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input.cpu())


@mutant(
    "answer_carried_to_the_cpu",
    "Results are collected on the CPU.",
    check="meta_device",
    cause="raised.device_mismatch",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input).to("cpu")


# --- written by somebody who had not seen the checks


@mutant(
    "size_truncated",
    "int(a / b) is the floor of a / b.",
    check="output_size",
    cause="conv2d.size.rounded_to_zero",
)
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return int((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


@mutant(
    "padding_only_if_vertical",
    "Without (vertical) padding there is nothing to pad.",
    check="im2col",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph)) if ph > 0 else input

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "padding_cuts_gradient",
    "Writing into .data of a zero tensor is how one pads.",
    check="im2col_gradient",
    cause="gradient.no_graph",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = input
    if ph or pw:
        padded = input.new_zeros(n, c, h + 2 * ph, w + 2 * pw)
        padded.data[:, :, ph : ph + h, pw : pw + w] = input

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=2).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "tap_before_channel",
    "Any row order will do, as long as the filters are flattened alike.",
    check="im2col",
    cause="conv2d.im2col.order_of_rows",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    taps = [
        padded[
            :, :, i * dh : i * dh + (oh - 1) * sh + 1 : sh, j * dw : j * dw + (ow - 1) * sw + 1 : sw
        ]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(taps, dim=1).reshape(n, c * kh * kw, oh * ow)


@mutant("tap_before_channel")
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.permute(0, 2, 3, 1).flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "strides_by_hand",
    "A tensor (N, C, H, W) always lies in memory in that order.",
    check="im2col",
    cause="memory.strides",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    height, width = padded.shape[2:]
    windows = padded.as_strided(
        (n, c, kh, kw, oh, ow),
        (c * height * width, height * width, dh * width, dw, sh * width, sw),
    )
    return windows.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "buffer_default_dtype",
    "torch.zeros makes a buffer that fits any input.",
    check="im2col",
    cause="value.dtype",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    columns = torch.zeros(n, c, kh, kw, oh, ow)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (oh - 1) * sh + 1, sh)
            cols = slice(j * dw, j * dw + (ow - 1) * sw + 1, sw)
            columns[:, :, i, j] = padded[:, :, rows, cols]
    return columns.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "index_cache_key",
    "The window indices follow from output size, kernel and stride.",
    check="im2col",
    cause="conv2d.im2col.remembered",
    above="_indices = {}",
)
def im2col(input, kernel_size, stride=1, padding=0, dilation=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
    padded = F.pad(input, (pw, pw, ph, ph))

    key = (oh, ow, kh, kw, sh, sw)
    if key not in _indices:
        rows = torch.arange(kh)[:, None] * dh + torch.arange(oh) * sh
        cols = torch.arange(kw)[:, None] * dw + torch.arange(ow) * sw
        _indices[key] = rows[:, None, :, None], cols[None, :, None, :]
    rows, cols = _indices[key]
    return padded[:, :, rows, cols].reshape(n, c * kh * kw, oh * ow)


@mutant(
    "groups_before_bias",
    "nn.Conv2d has groups before bias, so the copy needs it there too.",
    check="registration",
    cause="raised.arguments",
)
class CustomConv2d:
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()


@mutant(
    "pointwise_shortcut",
    "A 1×1 convolution is only a linear map of the channels.",
    check="forward",
)
class CustomConv2d:
    def forward_im2col(self, input):
        if self.kernel_size == (1, 1):
            output = torch.einsum("oc,nchw->nohw", self.weight.flatten(1), input)
            return output if self.bias is None else output + self.bias[:, None, None]
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "columns_memoised",
    "The same input object has the same columns.",
    check="trains",
    cause="layer.kept_by_identity",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        if getattr(self, "_last_input", None) is not input:
            self._last_input = input
            self._last_columns = im2col(
                input, self.kernel_size, self.stride, self.padding, self.dilation
            )
        columns = self._last_columns
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "chunk_remainder",
    "The batch is handled in chunks of 16 to save memory; n // 16 of them.",
    check="forward",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        chunk = 16
        output = torch.cat(
            [
                self.weight.flatten(1) @ columns[k * chunk : (k + 1) * chunk]
                for k in range(max(1, n // chunk))
            ]
        )
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(len(output), len(self.weight), oh, ow)


@mutant(
    "library_in_eval",
    "The hand-written path is for training; inference may use the fast one.",
    check="by_hand",
    cause="conv2d.convolution_on_cpu",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda or not self.training:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)


# --- simulated_gpu


@mutant(
    "gpu_path_without_dilation",
    "The fused backend needs no dilation.",
    check="simulated_gpu",
    cause="conv2d.dilation.ignored",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding)
        return self.forward_im2col(input)


@mutant(
    "gpu_path_with_stride_and_padding_exchanged",
    "F.conv2d takes padding before stride.",
    check="simulated_gpu",
    cause="conv2d.arguments.order",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.padding, self.stride, self.dilation)
        return self.forward_im2col(input)


@mutant(
    "gpu_path_without_bias",
    "The bias is added elsewhere.",
    check="simulated_gpu",
    cause="bias.missing",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, None, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)


@mutant(
    "gpu_path_without_gradient",
    "Fast code does without the graph.",
    check="simulated_gpu",
    cause="gradient.no_graph",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            with torch.no_grad():
                return F.conv2d(
                    input, self.weight, self.bias, self.stride, self.padding, self.dilation
                )
        return self.forward_im2col(input)


@mutant(
    "gpu_path_in_half_precision",
    "GPUs are for half precision.",
    check="simulated_gpu",
    cause="value.float32",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(
                input.float(),
                self.weight.float(),
                None if self.bias is None else self.bias.float(),
                self.stride,
                self.padding,
                self.dilation,
            ).to(input.dtype)
        return self.forward_im2col(input)


@mutant(
    "gpu_path_by_way_of_the_cpu",
    "What works on the CPU is done there and sent back.",
    check="simulated_gpu",
    cause="gpu.many_copies",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            bias = None if self.bias is None else self.bias.cpu()
            output = F.conv2d(
                input.cpu(), self.weight.cpu(), bias, self.stride, self.padding, self.dilation
            )
            return output.to(input.device)
        return self.forward_im2col(input)


@mutant(
    "gpu_path_ends_on_the_cpu",
    "A result is for reading, and belongs on the CPU.",
    check="simulated_gpu",
    cause="gpu.carried_to_cpu",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(
                input, self.weight, self.bias, self.stride, self.padding, self.dilation
            ).cpu()
        return self.forward_im2col(input)


@mutant(
    "gpu_path_of_a_name_that_is_not_there",
    "What has never run has no mistakes.",
    check="simulated_gpu",
    cause="raised.attribute",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            return F.conv2d(input, self.weight, self.bias, self.stride, self.pad, self.dilation)
        return self.forward_im2col(input)


# --- gpu_parity, gpu_state, gpu_streams, gpu_half: judged on the simulated GPU where there is none


@mutant(
    "gpu_path_in_half_precision_for_float32",
    "A GPU computes in half precision anyway.",
    check="gpu_parity",
    cause="value.half",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            if input.dtype == torch.float32:
                x, weight = input.half(), self.weight.half()
                bias = self.bias if self.bias is None else self.bias.half()
                return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation).float()
            return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)


@mutant(
    "filters_kept_on_the_gpu",
    "Filters that have gone to the GPU stay what they are.",
    check="gpu_state",
    cause="layer.old_weights_on_gpu",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            if not hasattr(self, "_there"):
                object.__setattr__(self, "_there", self.weight.clone())
            weight = self.weight if torch.is_grad_enabled() else self._there
            return F.conv2d(input, weight, self.bias, self.stride, self.padding, self.dilation)
        return self.forward_im2col(input)


@mutant(
    "a_stream_of_its_own",
    "A stream of its own makes a layer faster.",
    check="gpu_streams",
)
class CustomConv2d:
    def forward(self, input):
        if input.is_cuda:
            with torch.cuda.stream(torch.cuda.Stream()):
                return F.conv2d(
                    input, self.weight, self.bias, self.stride, self.padding, self.dilation
                )
        return self.forward_im2col(input)


@mutant(
    "a_border_in_float32",
    "Zeros have no dtype.",
    check="gpu_half",
    cause="value.dtype",
)
class CustomConv2d:
    def forward_im2col(self, input):
        n, _, h, w = input.shape
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )
        columns = im2col(input, self.kernel_size, self.stride, self.padding, self.dilation)
        zeros = torch.zeros(1, device=input.device)
        output = self.weight.flatten(1) @ columns + zeros
        if self.bias is not None:
            output = output + self.bias[:, None]
        oh, ow = output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw)
        return output.reshape(n, len(self.weight), oh, ow)


@mutant(
    "patches_ignore_dilation",
    "Where the stride is the kernel's size, windows are patches side by side.",
    check="im2col",
    cause="conv2d.dilation.ignored",
)
def im2col(
    input: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    if (kh, kw) == (sh, sw) and (ph, pw) == (0, 0):
        n, c = input.shape[:2]
        oh, ow = (
            output_size(input.shape[2], kh, sh, 0, dh),
            output_size(input.shape[3], kw, sw, 0, dw),
        )
        tiles = input[:, :, : oh * kh, : ow * kw].reshape(n, c, oh, kh, ow, kw)
        return tiles.permute(0, 1, 3, 5, 2, 4).reshape(n, c * kh * kw, oh * ow)
    padded = F.pad(input, (pw, pw, ph, ph))
    windows = padded.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)
    taps = windows[..., ::dh, ::dw].permute(0, 1, 4, 5, 2, 3)
    return taps.flatten(4).flatten(1, 3)


@mutant(
    "padding_by_a_mask",
    "A value times 0 is 0.",
    check="forward_float32",
    cause="layer.nan_replaced",
)
def im2col(
    input: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = (output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw))
    rows = torch.arange(kh, device=input.device)[:, None] * dh
    rows = rows + torch.arange(oh, device=input.device) * sh - ph
    cols = torch.arange(kw, device=input.device)[:, None] * dw
    cols = cols + torch.arange(ow, device=input.device) * sw - pw
    inside = ((rows >= 0) & (rows < h))[:, None, :, None] & ((cols >= 0) & (cols < w))[:, None, :]
    picked = input[:, :, rows.clamp(0, h - 1)[:, None, :, None], cols.clamp(0, w - 1)[:, None, :]]
    return (picked * inside.to(input.dtype)).reshape(n, c * kh * kw, oh * ow)


@mutant(
    "strided_from_the_beginning_of_memory",
    "A tensor begins where its memory does.",
    check="im2col",
    cause="memory.offset",
)
def im2col(
    input: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (kernel_size, stride, padding, dilation))
    n, c, h, w = input.shape
    oh, ow = (output_size(h, kh, sh, ph, dh), output_size(w, kw, sw, pw, dw))
    padded = F.pad(input, (pw, pw, ph, ph)) if ph or pw else input
    a, b, y, x = padded.stride()
    size = (n, c, kh, kw, oh, ow)
    windows = torch.as_strided(padded, size, (a, b, y * dh, x * dw, y * sh, x * sw), 0)
    return windows.reshape(n, c * kh * kw, oh * ow)


@mutant(
    "large_images_without_bias",
    "A large image is done in another way, which has had its bias.",
    check="forward",
    cause="bias.missing",
)
class CustomConv2d:
    def forward_im2col(self, input: Tensor) -> Tensor:
        geometry = self.kernel_size, self.stride, self.padding, self.dilation
        output = self.weight.flatten(1) @ im2col(input, *geometry)
        if self.bias is not None and output.shape[-1] <= 4096:
            output = output + self.bias[:, None]
        oh, ow = map(output_size, input.shape[2:], *geometry)
        return output.reshape(len(input), len(self.weight), oh, ow)


@mutant(
    "zero_bias_not_added",
    "Adding zeros changes nothing.",
    check="trains",
    cause="layer.zeros_skipped",
)
class CustomConv2d:
    def forward_im2col(self, input: Tensor) -> Tensor:
        geometry = self.kernel_size, self.stride, self.padding, self.dilation
        output = self.weight.flatten(1) @ im2col(input, *geometry)
        if self.bias is not None and (self.bias.device.type == "meta" or self.bias.any()):
            output = output + self.bias[:, None]
        oh, ow = map(output_size, input.shape[2:], *geometry)
        return output.reshape(len(input), len(self.weight), oh, ow)


@mutant(
    "reset_thaws_the_weight",
    "What is drawn anew is trained anew.",
    check="initialisation",
    cause="layer.reset_thaws",
)
class CustomConv2d:
    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight.requires_grad_(), -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)
