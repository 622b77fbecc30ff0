"""Parameters of magnitude M, where the function varies over a length scale L far below M.

Each case draws M and L, with M / L between 1e2 and 1e9. A step relative to the magnitude of the
parameter, or of its neighbours, is far too large.
"""

import numpy as np

from tests.corpus.family import Array, Case, Collection

LENGTH_SCALES = Collection()

EPSILON = float(np.finfo(np.float64).eps)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(10.0 ** rng.uniform(low, high))


def _accuracy(ratio: float) -> float:
    """Return the relative accuracy of a gradient whose arguments are rounded, for an M / L."""
    return max(1e-11, 100 * EPSILON * ratio)


def _gaussian(z: Array) -> Array:
    return np.exp(-(z**2) / 2)


@LENGTH_SCALES.family()
def sine_far_out(rng: np.random.Generator) -> Case:
    """Take the sine of one large number."""
    x = rng.choice([-1, 1]) * _log_uniform(rng, 2, 9) * np.ones(1)
    return Case(lambda x: np.sum(np.sin(x)), np.cos, x, length=1.0)


@LENGTH_SCALES.family()
def tanh_beside_zeros(rng: np.random.Generator) -> Case:
    """Saturate one huge entry among zeros."""
    x = np.zeros(rng.integers(3, 6))
    x[rng.integers(x.size)] = rng.choice([-1, 1]) * _log_uniform(rng, 3, 9)
    return Case(lambda x: np.sum(np.tanh(x)), lambda x: 1 - np.tanh(x) ** 2, x, length=1.0)


@LENGTH_SCALES.family()
def gaussian_line(rng: np.random.Generator) -> Case:
    """Take a spectral line at 6562.8, 0.01 wide, as a function of its central wavelength."""
    width = _log_uniform(rng, -3, -1)
    seen = 6562.8 + width * rng.uniform(-2, 2, size=7)
    a = rng.uniform(0.5, 2, size=7)

    def forward(c):
        return a @ _gaussian((seen - c[0]) / width)

    def gradient(c):
        z = (seen - c[0]) / width
        return np.array([a @ (_gaussian(z) * z)]) / width

    x = 6562.8 + width * rng.uniform(-1, 1, size=1)
    return Case(forward, gradient, x, length=width)


@LENGTH_SCALES.family()
def lorentzian_line(rng: np.random.Generator) -> Case:
    """Fit a line by centre, width and height, which have three magnitudes."""
    centre, width, height = (
        rng.uniform(4e3, 7e3),
        _log_uniform(rng, -3, 0),
        _log_uniform(rng, 0, 3),
    )
    seen = centre + width * np.linspace(-3, 3, 15)
    data = height * rng.uniform(0.8, 1.2, size=15) / (1 + np.linspace(-3, 3, 15) ** 2)

    def forward(p):
        return np.sum((p[2] / (1 + ((seen - p[0]) / p[1]) ** 2) - data) ** 2) / 2

    def gradient(p):
        z = (seen - p[0]) / p[1]
        line = 1 / (1 + z**2)
        r = p[2] * line - data
        slope = 2 * p[2] * z * line**2 / p[1]
        return np.array([r @ slope, r @ (slope * z), r @ line])

    x = np.array([centre + width * rng.uniform(0.1, 0.5), width * 1.1, height * 0.9])
    length = np.array([width, width, height])
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def pseudo_voigt_lines(rng: np.random.Generator) -> Case:
    """Mix Gaussian and Lorentzian profiles at several centres, with a share that may be zero."""
    centres = np.sort(rng.uniform(5e3, 5.01e3, size=3))
    width = _log_uniform(rng, -2, -1)
    seen = np.concatenate([c + width * rng.normal(size=5) for c in centres])
    weight = rng.uniform(0.5, 2, size=15)

    def profiles(p):
        z = (seen[:, None] - p[:3]) / width
        return z, np.exp(-(z**2)), 1 / (1 + z**2)

    def forward(p):
        _, bell, tails = profiles(p)
        return weight @ np.sum((1 - p[3]) * bell + p[3] * tails, axis=1)

    def gradient(p):
        z, bell, tails = profiles(p)
        by_centre = 2 * z / width * ((1 - p[3]) * bell + p[3] * tails**2)
        return np.append(weight @ by_centre, weight @ np.sum(tails - bell, axis=1))

    x = np.append(centres + width * rng.normal(size=3), rng.choice([0.0, 0.3]))
    length = np.array([width, width, width, 1.0])
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def resonance(rng: np.random.Generator) -> Case:
    """Drive a resonator of 1 GHz and a width of 1 kHz, a little off resonance."""
    centre, width = 1e9 * rng.uniform(0.5, 2), _log_uniform(rng, 2, 4)
    x = centre + width * rng.uniform(0.2, 1, size=1) * rng.choice([-1, 1])

    def forward(f):
        return np.sum(1 / (1 + ((f - centre) / width) ** 2))

    def gradient(f):
        z = (f - centre) / width
        return -2 * z / (1 + z**2) ** 2 / width

    return Case(forward, gradient, x, length=width)


@LENGTH_SCALES.family()
def resonator_fit(rng: np.random.Generator) -> Case:
    """Fit frequency, linewidth, height and background of a resonance by least squares."""
    centre, width = 1e9 * rng.uniform(0.5, 2), _log_uniform(rng, 2, 4)
    seen = centre + width * np.linspace(-4, 4, 21)
    data = 1 / (1 + np.linspace(-4, 4, 21) ** 2) + 0.05 * rng.normal(size=21)

    def forward(p):
        return np.sum((p[3] + p[2] / (1 + ((seen - p[0]) / p[1]) ** 2) - data) ** 2)

    def gradient(p):
        z = (seen - p[0]) / p[1]
        line = 1 / (1 + z**2)
        r = 2 * (p[3] + p[2] * line - data)
        slope = 2 * p[2] * z * line**2 / p[1]
        return np.array([r @ slope, r @ (slope * z), r @ line, np.sum(r)])

    x = np.array([centre + 0.3 * width, 1.2 * width, 0.8, 0.0])
    length = np.array([width, width, 1.0, 1.0])
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def julian_dates(rng: np.random.Generator) -> Case:
    """Take the light of a variable star at Julian dates; its period is 0.1 to 5 days."""
    period, start = _log_uniform(rng, -1, np.log10(5)), 2.45e6 + rng.uniform(0, 1e3)
    a, p = rng.uniform(0.5, 1, size=3), rng.uniform(0, 6, size=3)
    k = 2 * np.pi * np.arange(1, 4) / period

    def forward(t):
        return np.sum(a * np.sin(np.multiply.outer(t - start, k) + p))

    def gradient(t):
        return np.cos(np.multiply.outer(t - start, k) + p) @ (a * k)

    x = start + rng.uniform(0, 10 * period, size=rng.choice([1, 4]))
    length = period / 6 / np.pi
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def transit_epoch(rng: np.random.Generator) -> Case:
    """Fit epoch (a Julian date), period and depth of transits whose flanks last minutes."""
    start, period, flank = (
        2.45e6 + rng.uniform(0, 1e4),
        rng.uniform(1, 5),
        _log_uniform(rng, -2.5, -1.5),
    )
    number = np.repeat(np.arange(6), 5)
    seen = start + period * number + np.tile(flank * np.array([-1.5, -0.5, 0.2, 0.8, 2]), 6)
    data = rng.uniform(size=30)

    def forward(p):
        return np.sum((1 - p[2] * np.tanh((seen - p[0] - p[1] * number) / flank) - data) ** 2)

    def gradient(p):
        t = np.tanh((seen - p[0] - p[1] * number) / flank)
        r = 2 * (1 - p[2] * t - data)
        slope = r * p[2] * (1 - t**2) / flank
        return np.array([np.sum(slope), slope @ number, -r @ t])

    x = np.array([start + 0.2 * flank, period, rng.uniform(0.1, 0.9)])
    length = np.array([flank, flank / 5, 1.0])
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def map_coordinates(rng: np.random.Generator) -> Case:
    """Orient a camera: map coordinates in metres and three angles of zero, in one array."""
    place = np.array([5e5, 5e6, 1e3]) * rng.uniform(0.5, 1.5, size=3)
    ground = place + np.array([300, 300, -800]) * rng.uniform(-1, 1, size=(6, 3))
    ground[:, 2] = place[2] - rng.uniform(600, 900, size=6)
    data = 0.3 * rng.normal(size=(6, 2))

    def seen(p):
        """Return the three rotated frames and the residuals."""
        d = ground - p[:3]
        c, s = np.cos(p[3:]), np.sin(p[3:])
        first = np.array(
            [d[:, 0], c[0] * d[:, 1] + s[0] * d[:, 2], c[0] * d[:, 2] - s[0] * d[:, 1]]
        )
        second = np.array(
            [c[1] * first[0] - s[1] * first[2], first[1], c[1] * first[2] + s[1] * first[0]]
        )
        third = np.array(
            [c[2] * second[0] + s[2] * second[1], c[2] * second[1] - s[2] * second[0], second[2]]
        )
        return first, second, third, (third[:2] / third[2]).T - data

    def forward(p):
        return np.sum(seen(p)[-1] ** 2) / 2

    def gradient(p):
        first, second, third, r = seen(p)
        c, s = np.cos(p[3:]), np.sin(p[3:])
        r = r.T
        by_third = np.array([*(r / third[2]), -np.sum(r * third[:2], axis=0) / third[2] ** 2])
        by_second = np.array(
            [
                c[2] * by_third[0] - s[2] * by_third[1],
                s[2] * by_third[0] + c[2] * by_third[1],
                by_third[2],
            ]
        )
        kappa = by_third[0] @ third[1] - by_third[1] @ third[0]
        by_first = np.array(
            [
                c[1] * by_second[0] + s[1] * by_second[2],
                by_second[1],
                c[1] * by_second[2] - s[1] * by_second[0],
            ]
        )
        phi = by_second[2] @ second[0] - by_second[0] @ second[2]
        by_d = np.array(
            [
                by_first[0],
                c[0] * by_first[1] - s[0] * by_first[2],
                s[0] * by_first[1] + c[0] * by_first[2],
            ]
        )
        omega = by_first[1] @ first[2] - by_first[2] @ first[1]
        return np.array([*(-by_d.sum(axis=1)), omega, phi, kappa])

    length = np.array([1e3, 1e3, 1e3, 1.0, 1.0, 1.0])
    x = np.append(place, np.zeros(3))
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def unix_times(rng: np.random.Generator) -> Case:
    """Take a damped oscillation over minutes, at Unix times."""
    start, scale = 1.7e9 + rng.uniform(0, 1e7), 60 * _log_uniform(rng, 0, 1)
    a, w = rng.uniform(0.5, 2, size=3), rng.uniform(0.5, 2, size=3)

    def forward(t):
        z = (t - start) / scale
        return np.sum(a * np.exp(-z / 2) * np.sin(w * z))

    def gradient(t):
        z = (t - start) / scale
        return a * np.exp(-z / 2) * (w * np.cos(w * z) - np.sin(w * z) / 2) / scale

    x = start + scale * rng.uniform(0, 3, size=3)
    return Case(forward, gradient, x, length=scale)


@LENGTH_SCALES.family()
def phases(rng: np.random.Generator) -> Case:
    """Add waves ``sin(k x + p)`` with wave numbers up to 1e7, at numbers of order one."""
    k, p = _log_uniform(rng, 3, 7) * rng.uniform(0.5, 1, size=4), rng.uniform(0, 6, size=4)

    def forward(x):
        return np.sum(np.sin(np.multiply.outer(x, k) + p))

    def gradient(x):
        return np.cos(np.multiply.outer(x, k) + p) @ k

    x = rng.choice([-1, 1], size=3) * rng.uniform(0.5, 2, size=3)
    return Case(forward, gradient, x, precision=_accuracy(2 * k.max()), length=1 / k.max())


@LENGTH_SCALES.family()
def interferometer(rng: np.random.Generator) -> Case:
    """Count fringes of an interferometer: arms of metres, light of one to three wavelengths."""
    colour = 1e-9 * np.array([633.0, 532.0, 1064.0])[: rng.integers(1, 4)]
    k = 4 * np.pi / colour
    a = rng.uniform(0.5, 1, size=k.size)

    def forward(arm):
        return np.sum(a * (1 + np.cos(k * (arm[0] - arm[1]))))

    def gradient(arm):
        slope = -np.sum(a * k * np.sin(k * (arm[0] - arm[1])))
        return np.array([slope, -slope])

    x = _log_uniform(rng, -2, 0.5) * np.ones(2)
    x[1] -= colour[0] * rng.uniform(0.05, 0.2)
    return Case(forward, gradient, x, length=1 / k.max())


@LENGTH_SCALES.family()
def pressure_beside_zeros(rng: np.random.Generator) -> Case:
    """Take a state of one pressure, about 1e6 Pa, and three velocities of zero."""
    p0, a = _log_uniform(rng, 5, 7), rng.uniform(0, 6, size=3)

    def forward(s):
        return np.log(s[0] / p0) + (s[0] / p0) ** 0.3 * np.sum(np.sin(s[1:] + a))

    def gradient(s):
        q = (s[0] / p0) ** 0.3
        by_pressure = 1 / s[0] + 0.3 * q / s[0] * np.sum(np.sin(s[1:] + a))
        return np.append(by_pressure, q * np.cos(s[1:] + a))

    x = np.append(p0 * rng.uniform(1.2, 3), np.zeros(3))
    return Case(forward, gradient, x, length=np.array([p0, 1.0, 1.0, 1.0]))


@LENGTH_SCALES.family()
def logistic_threshold(rng: np.random.Generator) -> Case:
    """Take logistic functions whose threshold is large and whose width is small."""
    centre, width = _log_uniform(rng, 2, 6), _log_uniform(rng, -3, 0)
    a = rng.uniform(0.5, 2, size=5)

    def forward(x):
        return a @ (1 / (1 + np.exp(-(x - centre) / width)))

    def gradient(x):
        s = 1 / (1 + np.exp(-(x - centre) / width))
        return a * s * (1 - s) / width

    x = centre + width * rng.uniform(-3, 3, size=5)
    return Case(forward, gradient, x, length=width)


@LENGTH_SCALES.family()
def morse_far_out(rng: np.random.Generator) -> Case:
    """Take the energy of a chain of atoms with Morse potentials, far from the origin."""
    far, a = _log_uniform(rng, 3, 8), rng.uniform(1, 3)

    def forward(x):
        return np.sum((1 - np.exp(-a * (x[1:] - x[:-1] - 1))) ** 2)

    def gradient(x):
        e = np.exp(-a * (x[1:] - x[:-1] - 1))
        slope = 2 * a * e * (1 - e)
        return np.append(0, slope) - np.append(slope, 0)

    x = far + np.arange(5) + 0.2 * rng.normal(size=5)
    return Case(forward, gradient, x, length=1 / a)


@LENGTH_SCALES.family()
def chirp(rng: np.random.Generator) -> Case:
    """Take ``sin(x^2)`` at large x, where it oscillates fast."""
    a = rng.uniform(0.5, 2, size=3)
    x = _log_uniform(rng, 1, 4) * rng.uniform(0.9, 1.1, size=3)
    ratio = 2 * float(x.max()) ** 2
    return Case(
        lambda x: a @ np.sin(x**2),
        lambda x: 2 * a * x * np.cos(x**2),
        x,
        precision=_accuracy(ratio),
        length=1 / (2 * x.max()),
    )


@LENGTH_SCALES.family()
def inverse_chirp(rng: np.random.Generator) -> Case:
    """Take ``sin(1 / x)`` close to zero: a percent of x is several periods."""
    x = np.sort(_log_uniform(rng, -7, -3) * rng.uniform(1, 3, size=2))
    return Case(
        lambda x: np.sum(np.sin(1 / x)),
        lambda x: -np.cos(1 / x) / x**2,
        x,
        precision=_accuracy(1 / x[0]),
        length=x**2,
    )


@LENGTH_SCALES.family()
def neighbours_far_away(rng: np.random.Generator) -> Case:
    """Add distances of a metre between points with coordinates of ten thousand kilometres."""
    far = _log_uniform(rng, 5, 8)

    def forward(x):
        d = x[:, None] - x
        return np.sum(np.sqrt(0.1 + np.sum(d**2, axis=2)))

    def gradient(x):
        d = x[:, None] - x
        return 2 * np.sum(d / np.sqrt(0.1 + np.sum(d**2, axis=2))[:, :, None], axis=1)

    x = far * rng.uniform(-1, 1, size=3) + rng.normal(size=(4, 3))
    return Case(forward, gradient, x, length=1.0)


@LENGTH_SCALES.family()
def narrow_arrhenius(rng: np.random.Generator) -> Case:
    """Take an Arrhenius law with a barrier so high that a kelvin is a large change."""
    barrier, middle = _log_uniform(rng, 4.6, 6), rng.uniform(300, 350)

    def forward(t):
        return np.sum(1 / (1 + np.exp(barrier * (1 / t - 1 / middle))))

    def gradient(t):
        s = 1 / (1 + np.exp(barrier * (1 / t - 1 / middle)))
        return s * (1 - s) * barrier / t**2

    length = middle**2 / barrier
    x = middle + length * rng.uniform(-2, 2, size=3)
    return Case(forward, gradient, x, length=length)


@LENGTH_SCALES.family()
def kernels_at_offsets(rng: np.random.Generator) -> Case:
    """Sum radial kernels of width one between points far from the origin."""
    far, weight = _log_uniform(rng, 2, 8), rng.uniform(0.5, 2, size=6)
    centres = far + rng.normal(size=(6, 2))

    def forward(x):
        return weight @ _gaussian(np.sqrt(np.sum((x - centres) ** 2, axis=1)))

    def gradient(x):
        d = x - centres
        return -(weight * np.exp(-np.sum(d**2, axis=1) / 2)) @ d

    return Case(forward, gradient, far + rng.normal(size=2), length=1.0)


@LENGTH_SCALES.family()
def etalon(rng: np.random.Generator) -> Case:
    """Take the transmission of a millimetre-sized etalon by the wavelength, 500 nm."""
    gap, finesse = _log_uniform(rng, -4, -2), rng.uniform(5, 50)

    def forward(w):
        return np.sum(1 / (1 + finesse * np.sin(2 * np.pi * gap / w) ** 2))

    def gradient(w):
        phase = 2 * np.pi * gap / w
        slope = 2 * finesse * np.sin(phase) * np.cos(phase) * phase / w
        return slope / (1 + finesse * np.sin(phase) ** 2) ** 2

    x = 500e-9 * rng.uniform(0.9, 1.1, size=2)
    ratio = 2 * np.pi * gap / 500e-9 * np.sqrt(finesse)
    return Case(forward, gradient, x, precision=_accuracy(ratio), length=500e-9 / ratio)


@LENGTH_SCALES.family()
def satellite_phase(rng: np.random.Generator) -> Case:
    """Solve Kepler's equation at seconds since the year 2000; a revolution takes 90 minutes."""
    start, rate = 7e8 + rng.uniform(0, 1e8), 2 * np.pi / rng.uniform(5e3, 8e3)

    def anomaly(s):
        mean = rate * (s[0] - start)
        angle = mean + s[1] * np.sin(mean)
        for _ in range(12):
            angle = angle - (angle - s[1] * np.sin(angle) - mean) / (1 - s[1] * np.cos(angle))
        return angle

    def forward(s):
        angle = anomaly(s)
        return np.cos(angle + 0.3) + s[1] * np.sin(angle)

    def gradient(s):
        angle = anomaly(s)
        slope = s[1] * np.cos(angle) - np.sin(angle + 0.3)
        turn = np.array([rate, np.sin(angle)]) / (1 - s[1] * np.cos(angle))
        return slope * turn + np.array([0, np.sin(angle)])

    x = np.array([start + rng.uniform(0, 5e3), rng.choice([0.0, 0.1])])
    return Case(forward, gradient, x, length=np.array([1 / rate, 1.0]))


@LENGTH_SCALES.family()
def large_logits(rng: np.random.Generator) -> Case:
    """Take the cross entropy of logits with a large common offset."""
    far, label = _log_uniform(rng, 2, 7), rng.integers(5)

    def forward(x):
        return np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x) - x[label]

    def gradient(x):
        e = np.exp(x - np.max(x))
        return e / np.sum(e) - (np.arange(5) == label)

    x = far + rng.normal(size=5)
    return Case(forward, gradient, x, length=1.0)


@LENGTH_SCALES.family()
def bump_on_slope(rng: np.random.Generator) -> Case:
    """Take a narrow bump on a slope, on its flank: large steps see the slope only."""
    centre, width = _log_uniform(rng, 2, 6), _log_uniform(rng, -3, 0)
    height = rng.uniform(0.5, 2)

    def forward(x):
        return np.sum((x / centre) ** 2 + height * _gaussian((x - centre) / width))

    def gradient(x):
        z = (x - centre) / width
        return 2 * x / centre**2 - height * z * _gaussian(z) / width

    x = centre + width * rng.uniform(0.3, 2, size=2) * rng.choice([-1, 1], size=2)
    return Case(forward, gradient, x, length=width)


@LENGTH_SCALES.family()
def ripple_on_line(rng: np.random.Generator) -> Case:
    """Add a ripple to a straight line: over many periods the slope is that of the line."""
    k, far = _log_uniform(rng, 0, 3), _log_uniform(rng, 2, 4)
    x = far * rng.uniform(0.5, 1, size=2)
    return Case(
        lambda x: np.sum(x + 0.9 * np.sin(k * x) / k),
        lambda x: 1 + 0.9 * np.cos(k * x),
        x,
        precision=_accuracy(k * far),
        length=1 / k,
    )


@LENGTH_SCALES.family()
def pseudoranges(rng: np.random.Generator) -> Case:
    """Locate a receiver by satellites: residuals of metres, coordinates of thousands of km."""
    place = rng.normal(size=3)
    place *= 6.4e6 / np.sqrt(place @ place)
    above = rng.normal(size=(6, 3))
    above *= 2.6e7 / np.sqrt(np.sum(above**2, axis=1))[:, None]
    seen = np.sqrt(np.sum((above - place) ** 2, axis=1)) + 10 * rng.normal(size=6)

    def forward(p):
        return np.sum((np.sqrt(np.sum((above - p[:3]) ** 2, axis=1)) + p[3] - seen) ** 2) / 2

    def gradient(p):
        away = p[:3] - above
        distance = np.sqrt(np.sum(away**2, axis=1))
        r = distance + p[3] - seen
        return np.append(r @ (away / distance[:, None]), np.sum(r))

    x = np.append(place + 10 * rng.normal(size=3), 0.0)
    return Case(forward, gradient, x, precision=_accuracy(1e7), length=10.0)


@LENGTH_SCALES.family()
def sun_at_equator(rng: np.random.Generator) -> Case:
    """Take the sun's height by Unix time, and by a latitude and a longitude of zero."""
    start, tilt = 1.7e9 + rng.uniform(0, 1e7), rng.uniform(-0.4, 0.4)
    rate = 2 * np.pi / 86400

    def forward(p):
        hour = rate * (p[0] - start) + p[2]
        return np.sin(p[1]) * np.sin(tilt) + np.cos(p[1]) * np.cos(tilt) * np.cos(hour)

    def gradient(p):
        hour = rate * (p[0] - start) + p[2]
        by_hour = -np.cos(p[1]) * np.cos(tilt) * np.sin(hour)
        by_latitude = np.cos(p[1]) * np.sin(tilt) - np.sin(p[1]) * np.cos(tilt) * np.cos(hour)
        return np.array([rate * by_hour, by_latitude, by_hour])

    x = np.array([start + rng.uniform(1e3, 4e4), 0.0, 0.0])
    return Case(forward, gradient, x, length=np.array([1 / rate, 1.0, 1.0]))


@LENGTH_SCALES.family(noisy=True)
def float32_far_out(rng: np.random.Generator) -> Case:
    """Take sines of float32 numbers of some hundred, in float32."""
    x = (_log_uniform(rng, 2, 3) * rng.uniform(0.5, 1, size=3)).astype(np.float32)
    return Case(lambda x: np.sum(np.sin(x)), lambda x: np.cos(x), x, precision=1e-6, length=1.0)
