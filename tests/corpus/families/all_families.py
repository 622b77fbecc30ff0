"""All families of the corpus, in the order in which reports and comparisons list them."""

from tests.corpus.families.cancelling import CANCELLING
from tests.corpus.families.dynamics import DYNAMICS
from tests.corpus.families.edges import EDGES
from tests.corpus.families.extremes import EXTREMES
from tests.corpus.families.guarded import GUARDED
from tests.corpus.families.jumps import JUMPS
from tests.corpus.families.kinks import KINKS
from tests.corpus.families.length_scales import LENGTH_SCALES
from tests.corpus.families.lowered import LOWERED
from tests.corpus.families.matrices import MATRICES
from tests.corpus.families.networks import NETWORKS
from tests.corpus.families.noisy import NOISY
from tests.corpus.families.scales import SCALES
from tests.corpus.families.smooth import SMOOTH
from tests.corpus.families.solvers import SOLVERS
from tests.corpus.families.stopped import STOPPED
from tests.corpus.families.vanishing import VANISHING

COLLECTIONS = (
    SMOOTH,
    SCALES,
    LENGTH_SCALES,
    EXTREMES,
    VANISHING,
    CANCELLING,
    KINKS,
    JUMPS,
    EDGES,
    GUARDED,
    NETWORKS,
    MATRICES,
    DYNAMICS,
    SOLVERS,
    NOISY,
    LOWERED,
    STOPPED,
)
FAMILIES = tuple(f for collection in COLLECTIONS for f in collection.families)
