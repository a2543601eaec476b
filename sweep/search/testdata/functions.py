"""The test functions of ../functions_test.go, for the peers: FUNCTIONS[name] = (low, high, f), f(x) with minimum 0."""

import math


def optimum(low, high, i):
    f = (0.2 + (i + 1) * 0.6180339887498949) % 1.0
    return low + (high - low) * (0.15 + 0.7 * f)


def sphere(z):
    return sum(v * v for v in z)


def rosenbrock(z):
    u = [v + 1 for v in z]
    if len(u) == 1:  # the second coordinate stands at its best
        u.append(1.0)
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(u, u[1:]))


def rastrigin(z):
    return sum(v * v + 10 - 10 * math.cos(2 * math.pi * v) for v in z)


def ackley(z):
    square = sum(v * v for v in z) / len(z)
    wave = sum(math.cos(2 * math.pi * v) for v in z) / len(z)
    return 20 - 20 * math.exp(-0.2 * math.sqrt(square)) + math.e - math.exp(wave)


def styblinski_tang(z):
    best, least = -2.903534027771178, -78.33233140754285
    return sum(((v + best) ** 4 - 16 * (v + best) ** 2 + 5 * (v + best) - least) / 2 for v in z)


def shifted(f, low, high):
    return low, high, lambda x: f([v - optimum(low, high, i) for i, v in enumerate(x)])


FUNCTIONS = {
    "sphere": shifted(sphere, -5.0, 5.0),
    "rosenbrock": shifted(rosenbrock, -5.0, 5.0),
    "rastrigin": shifted(rastrigin, -5.12, 5.12),
    "ackley": shifted(ackley, -32.768, 32.768),
    "styblinski-tang": shifted(styblinski_tang, -5.0, 5.0),
}
