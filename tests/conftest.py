"""Configuration of all tests.

numpy is imported here, once for the process: in-process `pytester` runs unload the modules that
they imported, and numpy cannot be loaded twice. Hypothesis has no deadline, because the machine
may be busy.
"""

import hypothesis
import numpy as np  # noqa: F401  # see above

hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")

pytest_plugins = ["pytester"]
