"""The one place that knows how torchvision gets along with a CPU-only torch.

torchvision's wheels are built against torch with CUDA. Beside a CPU-only torch their compiled operators do
not load, and importing torchvision ends with "operator torchvision::nms does not exist", although
data sets and transforms need none of them. Declaring the operator (without an implementation) is
enough; calling it still fails, with torch's own message.
"""

from types import ModuleType

import torch

_declared: list[torch.library.Library] = []
"""A library's declarations last as long as the object."""


def load_torchvision() -> ModuleType:
    """torchvision with its datasets and transforms, whichever torch it is beside."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error) or _declared:
            raise
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        import torchvision
    module: ModuleType = torchvision
    return module
