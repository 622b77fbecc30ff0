"""A planar arm that moves around obstacles: smoothness, clearance by path length, joint limits."""

import numpy as np

EDITED = (
    "hinge_cost_slope",
    "PlanarArm.pull_back",
    "Planner.smoothness_gradient",
    "Planner.obstacle_gradient",
    "Planner.limit_gradient",
    "Planner.gradient",
)


def hinge_cost(d, eps):
    """Zero beyond eps, quadratic outside of the obstacle, linear inside of it."""
    if d > eps:
        return 0.0
    if d > 0:
        return (d - eps) ** 2 / (2 * eps)
    return eps / 2 - d


def hinge_cost_slope(d, eps):
    if d > eps:
        return 0.0
    if d > 0:
        return (d - eps) / eps
    return -1.0


class PlanarArm:
    def __init__(self, lengths):
        self.lengths = lengths

    def link_ends(self, q):
        """The ends of all links, of shape (n_joints, 2), for relative joint angles."""
        angle = np.cumsum(q)
        steps = self.lengths[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return np.cumsum(steps, axis=0)

    def pull_back(self, q, ends_bar):
        """Multiply by the transposed Jacobian of the ends of the links."""
        angle = np.cumsum(q)
        steps_bar = np.cumsum(ends_bar[::-1], axis=0)[::-1]
        tangent = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
        angle_bar = self.lengths * np.sum(steps_bar * tangent, axis=1)
        return np.cumsum(angle_bar[::-1])[::-1]


class Planner:
    """The cost of the joint angles xi of shape (n_steps, n_joints) between start and goal."""

    def __init__(self, arm, start, goal, obstacles, dt, q_max, eps=0.5, w_obs=2.0, w_limit=10.0):
        self.arm = arm
        self.start, self.goal = start, goal
        self.obstacles = obstacles  # pairs of center and radius
        self.dt = dt
        self.q_max = q_max
        self.eps = eps
        self.w_obs, self.w_limit = w_obs, w_limit

    def padded(self, xi):
        return np.vstack([self.start, xi, self.goal])

    def acceleration(self, xi):
        q = self.padded(xi)
        return (q[2:] - 2 * q[1:-1] + q[:-2]) / self.dt**2

    def smoothness_cost(self, xi):
        return 0.5 * self.dt * np.sum(self.acceleration(xi) ** 2)

    def smoothness_gradient(self, xi):
        a = self.acceleration(xi)
        grad = -2 * a
        grad[1:] += a[:-1]
        grad[:-1] += a[1:]
        return grad / self.dt

    def clearance_cost(self, x):
        """Cost of one point of the arm, over all obstacles."""
        return sum(
            hinge_cost(np.linalg.norm(x - center) - radius, self.eps)
            for center, radius in self.obstacles
        )

    def obstacle_cost(self, xi):
        ends = np.array([self.arm.link_ends(q) for q in self.padded(xi)])
        total = 0.0
        for t in range(1, len(ends)):
            for x, x_prev in zip(ends[t], ends[t - 1], strict=True):
                middle = 0.5 * (x + x_prev)
                total += self.clearance_cost(middle) * np.linalg.norm(x - x_prev)
        return total

    def obstacle_gradient(self, xi):
        q = self.padded(xi)
        ends = np.array([self.arm.link_ends(angles) for angles in q])
        d_ends = np.zeros_like(ends)
        for t in range(1, len(ends)):
            for k in range(ends.shape[1]):
                step = ends[t, k] - ends[t - 1, k]
                middle = 0.5 * (ends[t, k] + ends[t - 1, k])
                length = np.linalg.norm(step)

                # the length of the step
                d_step = self.clearance_cost(middle) * step / length
                d_ends[t, k] += d_step
                d_ends[t - 1, k] -= d_step

                # the distance to the obstacles
                d_middle = np.zeros_like(middle)
                for center, radius in self.obstacles:
                    away = middle - center
                    dist = np.linalg.norm(away)
                    d_middle += hinge_cost_slope(dist - radius, self.eps) * away / dist
                d_ends[t, k] += 0.5 * length * d_middle
                d_ends[t - 1, k] += 0.5 * length * d_middle

        grad = np.zeros_like(xi)
        for t in range(len(xi)):
            grad[t] = self.arm.pull_back(q[t + 1], d_ends[t + 1])
        return grad

    def limit_cost(self, xi):
        over = np.maximum(np.abs(xi) - self.q_max, 0)
        return 0.5 * np.sum(over**2)

    def limit_gradient(self, xi):
        over = np.maximum(np.abs(xi) - self.q_max, 0)
        return over * np.sign(xi)

    def cost(self, xi):
        return (
            self.smoothness_cost(xi)
            + self.w_obs * self.obstacle_cost(xi)
            + self.w_limit * self.limit_cost(xi)
        )

    def gradient(self, xi):
        grad = self.smoothness_gradient(xi)
        grad += self.w_obs * self.obstacle_gradient(xi)
        grad += self.w_limit * self.limit_gradient(xi)
        return grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(46)
    start = np.array([0.2, 0.4, -0.3], dtype=dtype)
    goal = np.array([1.5, -0.8, 0.9], dtype=dtype)
    obstacles = [
        (np.array([1.3, 1.2], dtype=dtype), 0.5),
        (np.array([0.5, 2.0], dtype=dtype), 0.3),
    ]
    arm = PlanarArm(np.array([1.0, 0.8, 0.6], dtype=dtype))
    planner = Planner(arm, start, goal, obstacles, dt=0.5, q_max=0.9)
    straight = np.linspace(start, goal, 7)[1:-1]
    xi = (straight + 0.2 * rng.normal(size=straight.shape)).astype(dtype)
    return check_gradient(planner.cost, planner.gradient, xi, **options)
