"""What every test shares; numpy is imported here, once for the process.

In-process `pytester` runs forget the modules they loaded, and numpy refuses to
be loaded twice.
"""

import numpy as np  # noqa: F401  # see above

pytest_plugins = ["pytester"]
