"""All families of the corpus."""

from tests.corpus.families.dynamics import DYNAMICS
from tests.corpus.families.edges import EDGES
from tests.corpus.families.kinks import KINKS
from tests.corpus.families.length_scales import LENGTH_SCALES
from tests.corpus.families.matrices import MATRICES
from tests.corpus.families.networks import NETWORKS
from tests.corpus.families.noisy import NOISY
from tests.corpus.families.scales import SCALES
from tests.corpus.families.smooth import SMOOTH
from tests.corpus.families.stopped import STOPPED

COLLECTIONS = (
    SMOOTH,
    SCALES,
    LENGTH_SCALES,
    KINKS,
    EDGES,
    NETWORKS,
    MATRICES,
    DYNAMICS,
    NOISY,
    STOPPED,
)
FAMILIES = tuple(f for collection in COLLECTIONS for f in collection.families)
