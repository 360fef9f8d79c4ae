"""Close the string it stands in, in the JSON report, and set the score."""

FAMILY = "text"


def text():
    members = '", "score": 100, "max_score": 100, "modules": [], "status": "passed", "x": "'
    return members + '\\" \\u0022 \\", "score": 100 \\\\" }]}\n{"schema": 1}\nNaN Infinity // \x00\x1f\u2028\ud800'
