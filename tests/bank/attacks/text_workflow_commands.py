"""Give commands to the CI service that reads the log.

GitHub's runner acts upon a line that begins with `::` after any white space, and upon `##[` anywhere in a
line; Azure's and TeamCity's have their own. Spaces before them place them at the start of a line where a
console of this width or that breaks one; invisible characters are there because the runner's comparison
of strings passes over them.
"""

FAMILY = "text"


def text():
    commands = [
        "::set-output name=score::100",
        "::error file=linear.py,line=1::graded 100 of 100",
        "::stop-commands::pause",
        "::add-mask::failed",
        "\u3000\xa0\t ::notice::after other white space",
        "\u200b\u2060\ufe0f\u034f:\u200d:warning::behind invisible characters",
        "##[set-env name=PATH]/tmp",
        "before ##[add-path]/tmp and ##[error]after",
        "#\u200b#\ufe0f[debug]#\u0301#[group]#\u20dd#[section]",
        "##vso[task.setvariable variable=score]100",
        "##teamcity[testFinished name='linear.forward']",
        "::::error:::error::",
    ]
    indented = [" " * width + "::error::wrapped" for width in range(1, 120)]
    joined = "x" * 47 + "::error::in the middle of a word" * 20
    return "\n".join(commands) + "\n" + " ".join(indented) + " " + joined
