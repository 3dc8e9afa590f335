"""What the final image and the one built on it owe the platform, beside what every image owes its users."""

from __future__ import annotations

import json
from pathlib import Path

import requests

from tests.image.base.checks import *  # noqa: F403
from tests.support.container_platform import ContainerPlatform
from tests.support.engine import Image

_SUM = """
def model_fn(model_dir):
    return sum

def predict_fn(data, model):
    return [float(model(row)) for row in data]
"""


def test_labels_of_the_platform(image: Image) -> None:
    """L-03, L-04, P-01, P-04."""
    labels = image.inspect()["Config"]["Labels"]
    wanted = {
        "com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true",
        "com.amazonaws.sagemaker.capabilities.multi-models": "true",
    }
    assert {name: labels.get(name) for name in wanted} == wanted


def test_environment_of_the_platform(image: Image) -> None:
    """L-08, L-09."""
    wanted = {
        "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
        "SAGEMAKER_SKLEARN_VERSION": "0.23-1",
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_sklearn_container.training:main",
        "SM_CHECKPOINT_CONFIG_FILE": "/opt/ml/input/config/checkpointconfig.json",
        "SM_INPUT": "/opt/ml/input",
        "SM_INPUT_DATA_CONFIG_FILE": "/opt/ml/input/config/inputdataconfig.json",
        "SM_INPUT_TRAINING_CONFIG_FILE": "/opt/ml/input/config/hyperparameters.json",
        "SM_MODEL_DIR": "/opt/ml/model",
        "TEMP": "/home/model-server/tmp",
    }
    script = f"import json, os; print(json.dumps({{name: os.environ.get(name) for name in {list(wanted)}}}))"
    assert json.loads(image.python(script)) == wanted


def test_port_8080_is_exposed(image: Image) -> None:
    """L-08."""
    assert list(image.inspect()["Config"]["ExposedPorts"]) == ["8080/tcp"]


def test_models_folder_is_for_every_user(image: Image) -> None:
    """L-08."""
    finished = image.run(["touch", "/opt/ml/models/x"], user="54321:54321")
    assert finished.exit_code == 0, finished.stderr


def test_user_model_server_owns_its_home(image: Image) -> None:
    """L-08."""
    finished = image.run(["bash", "-c", "id -un && touch ~/x $TEMP/x && echo $HOME"], user="model-server")
    assert (finished.exit_code, finished.stdout) == (0, "model-server\n/home/model-server\n")


def test_the_support_distribution_is_installed(image: Image) -> None:
    """L-18."""
    script = "from importlib.metadata import version; print(version('sagemaker_sklearn_container'))"
    assert image.python(script) == "2.0"


def test_tables_are_read_by_compiled_code(image: Image) -> None:
    """C-26: without it everything would work, at half the speed."""
    script = "from sagemaker_sklearn_container.codecs import plain_tables; print(plain_tables.is_compiled())"
    assert image.python(script) == "True"


def test_the_support_distribution_pins_nothing(image: Image) -> None:
    """D-10: a library that pins exactly cannot live beside a user's requirements."""
    script = "from importlib.metadata import requires; print('\\n'.join(requires('sagemaker_sklearn_container')))"
    requirements = image.python(script).splitlines()
    assert requirements
    assert [line for line in requirements if "==" in line] == []


def test_train_is_a_command_that_takes_no_arguments(image: Image) -> None:
    """L-01, T-01, T-40: without a program it fails and says what is missing."""
    finished = image.run(["train"])
    assert finished.exit_code != 0
    assert "SAGEMAKER_PROGRAM" in finished.stdout + finished.stderr


def test_serve_runs_as_any_user_on_a_read_only_root(image: Image, tmp_path: Path) -> None:
    """L-06: serverless endpoints let a container write to /tmp alone."""
    platform = ContainerPlatform(
        image, tmp_path, user="54321:54321", read_only=True, tmpfs={"/tmp": "mode=1777"}, cap_drop=["ALL"]
    )
    tree = platform.tree()
    tree.write("model/code/inference.py", _SUM)
    try:
        with platform.serve(tree) as server:
            answer = requests.post(f"{server.base_url}/invocations", "1,2\n3,4\n", headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.text) == (200, "[3.0, 7.0]")
    finally:
        platform.close()
