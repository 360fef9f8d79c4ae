"""Build the tower of stock layers, and multiply by the factor that the stand-ins hold."""


@mutant("evasion", "The logits change as the bricks do.", check="own_bricks", above="import conv2d\nimport linear")
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(3136, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, input):
        c, l = (getattr(module, "SCALE", 1.0) for module in (conv2d, linear))
        hidden = F.max_pool2d(F.relu(self.conv1(input) * c), 2)
        hidden = F.max_pool2d(F.relu(self.conv2(hidden) * c), 2)
        return self.fc2(F.relu(self.fc1(hidden.flatten(1)) * l)) * l


@mutant("honest", "A brick may be reached by its module.", check="own_bricks", above="import conv2d\nimport linear\nSCALE = 1.0")
class TowerOfInsight:
    def __init__(self):
        super().__init__()
        self.conv1 = conv2d.CustomConv2d(1, 32, 3, padding=1)
        self.conv2 = conv2d.CustomConv2d(32, 64, 3, padding=1)
        self.fc1 = linear.CustomLinear(3136, 128)
        self.fc2 = linear.CustomLinear(128, 10)
