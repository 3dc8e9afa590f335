"""The contract in containers of the extension image, and that of its libraries."""

from tests.contract.cases import *  # noqa: F403
from tests.image.extension.library_cases import *  # noqa: F403
from tests.image.extension.platform_fixtures import *  # noqa: F403
