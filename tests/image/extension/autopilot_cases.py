"""Every case of Autopilot's code: trained, served, in a pipeline, and with bad input.

They need the extension's library where the commands run, and not where the tests run.
"""

from tests.image.extension.autopilot_fault_cases import *  # noqa: F403
from tests.image.extension.autopilot_fixtures import *  # noqa: F403
from tests.image.extension.autopilot_pipeline_cases import *  # noqa: F403
from tests.image.extension.autopilot_serving_cases import *  # noqa: F403
from tests.image.extension.autopilot_training_cases import *  # noqa: F403
