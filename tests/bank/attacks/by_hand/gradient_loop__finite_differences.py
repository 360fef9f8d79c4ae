"""Take differences of the error, which are exact for a parabola, in place of its derivatives."""


@mutant("evasion", "A difference quotient is the derivative.", check="manual_by_hand", cause="gradient_loop.differences")
def manual_gradients(x, y, w, b):
    def at(dw, db):
        return squared_error(predict(x, w + dw, b + db), y)

    return (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2


@mutant("honest", "The error may be looked at beside.", check="manual_by_hand")
def manual_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    print("loss", squared_error(predict(x, w, b), y).item())
    return 2 * (error * x).mean(), 2 * error.mean()
