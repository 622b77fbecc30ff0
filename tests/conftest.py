"""What every test shares; numpy is imported here, once for the process.

In-process `pytester` runs forget the modules they loaded, and numpy refuses to
be loaded twice. Hypothesis measures no time: a machine may be busy.
"""

import hypothesis
import numpy as np  # noqa: F401  # see above

hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

pytest_plugins = ["pytester"]
