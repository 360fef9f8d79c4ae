"""Break the writer by what is no character: lone surrogates, noncharacters, unassigned and private ones."""

FAMILY = "text"


def text():
    return (
        "\ud800\udfff\udc80\udbff a\udcff"  # cannot be encoded at all
        "\ufdd0\ufffe\uffff\U0001fffe\U0010ffff"
        "\ue000\U000f0000\U0010fffd"
        "\u0378\u05ff\U000e0fff"
        "\ufff9annotated\ufffa\ufffb\ufffc\x00\x00end"
    )
