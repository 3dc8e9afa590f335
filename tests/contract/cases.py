"""Every case of the contract: what `train` and `serve` owe, on whatever platform they run."""

from tests.contract.abuse_cases import *  # noqa: F403
from tests.contract.batch_cases import *  # noqa: F403
from tests.contract.fault_cases import *  # noqa: F403
from tests.contract.fixtures import *  # noqa: F403
from tests.contract.multi_model_cases import *  # noqa: F403
from tests.contract.multi_model_code_cases import *  # noqa: F403
from tests.contract.multi_model_concurrency_cases import *  # noqa: F403
from tests.contract.multi_model_fault_cases import *  # noqa: F403
from tests.contract.multi_model_state_cases import *  # noqa: F403
from tests.contract.pipeline_cases import *  # noqa: F403
from tests.contract.sdk_cases import *  # noqa: F403
from tests.contract.serving_cases import *  # noqa: F403
from tests.contract.serving_function_cases import *  # noqa: F403
from tests.contract.serving_loan_cases import *  # noqa: F403
from tests.contract.serving_server_cases import *  # noqa: F403
from tests.contract.training_cases import *  # noqa: F403
from tests.contract.training_code_cases import *  # noqa: F403
from tests.contract.training_failure_cases import *  # noqa: F403
from tests.contract.training_hosts_cases import *  # noqa: F403
from tests.contract.training_intermediate_cases import *  # noqa: F403
