"""Unfold by F.unfold in the layer, where im2col alone is asked how it is done."""


@mutant("evasion", "im2col alone has to do without F.unfold.", check="by_hand", cause="by_hand.ready_made")
class CustomConv2d:
    def forward_im2col(self, input):
        columns = F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)
        output = self.weight.flatten(1) @ columns
        if self.bias is not None:
            output = output + self.bias[:, None]
        geometry = self.kernel_size, self.stride, self.padding, self.dilation
        return output.unflatten(2, tuple(map(output_size, input.shape[2:], *geometry)))


@mutant("honest", "Tensor.unfold takes windows along one axis, and is fine.", check="by_hand")
class CustomConv2d:
    def forward_im2col(self, input):
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        ph, pw = self.padding
        padded = F.pad(input, (pw, pw, ph, ph))
        windows = padded.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)
        output = torch.einsum("nchwij,ocij->nohw", windows[..., ::dh, ::dw], self.weight)
        return output if self.bias is None else output + self.bias[:, None, None]
