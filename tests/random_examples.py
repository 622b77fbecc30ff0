"""How many examples hypothesis draws: the same few in each run of the suite, or many on request.

The environment variable GRADCHECK_FUZZ sets the number of examples, which are then random.
"""

import os

from hypothesis import HealthCheck, Phase, settings

__all__ = ["random_examples"]

_REQUESTED = int(os.environ.get("GRADCHECK_FUZZ", "0"))

#: Decorates a property-based test.
random_examples = settings(
    max_examples=_REQUESTED or 100,
    derandomize=not _REQUESTED,
    database=None,
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if _REQUESTED else [])],
    suppress_health_check=list(HealthCheck),
)
