"""The schema of ``conf/``: each setting with its type, its range and its meaning. Imports nothing of the project."""

# every section and choice, by its own name
from batch_nlp.config.schema.config import *  # noqa: F403
from batch_nlp.config.schema.dataset import *  # noqa: F403
from batch_nlp.config.schema.enums import *  # noqa: F403
from batch_nlp.config.schema.features import *  # noqa: F403
from batch_nlp.config.schema.inference import *  # noqa: F403
from batch_nlp.config.schema.training import *  # noqa: F403
from batch_nlp.config.schema.upkeep import *  # noqa: F403
