"""What `train` owes the platform and the user's program.

Every case takes the fixture `platform`. The user programs here need nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.support.platform import MlTree, Platform
from tests.support.recorder import RECORDER, seen_by


def _job(platform: Platform, script: str, **hyperparameters: Any) -> MlTree:
    tree = platform.tree()
    tree.code(train=textwrap.dedent(script))
    tree.hyperparameters(sagemaker_program="train.py", **hyperparameters)
    return tree


def test_success_is_exit_code_0_and_an_empty_success_file(platform: Platform) -> None:
    """T-01, T-07."""
    result = platform.train(_job(platform, "print('done')"))
    assert (result.exit_code, result.succeeded, result.failure) == (0, True, None)


@pytest.mark.parametrize(
    ("script", "exit_code"),
    [("raise SystemExit(3)", 3), ("raise ValueError('x')", 1), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_the_programs_exit_code_is_the_exit_code(platform: Platform, script: str, exit_code: int) -> None:
    """T-02, T-03, T-07: and there is a failure file, but no success file."""
    result = platform.train(_job(platform, script))
    assert (result.exit_code, result.succeeded) == (exit_code, False)
    assert result.failure


def test_the_failure_file_begins_with_the_users_exception(platform: Platform) -> None:
    """T-04, T-05."""
    script = """
    def fit():
        raise ValueError("target has 2 classes \\u2713")
    fit()
    """
    failure = platform.train(_job(platform, script)).failure
    assert failure is not None
    assert failure.startswith("ValueError: target has 2 classes \u2713\n")
    assert "in fit" in failure[:1024]
    assert "sagemaker_sklearn_container" not in failure[:1024]


def test_a_failure_file_of_the_program_is_kept(platform: Platform) -> None:
    """T-06."""
    script = """
    import os
    with open(os.path.join(os.environ["SM_OUTPUT_DIR"], "failure"), "w") as f:
        f.write("no data for March")
    raise SystemExit(4)
    """
    result = platform.train(_job(platform, script))
    assert (result.exit_code, result.failure) == (4, "no data for March")


def test_sigterm_reaches_the_program_which_may_finish(platform: Platform) -> None:
    """T-08: train waits, keeps what the handler writes, and exits with the program's code."""
    script = """
    import os, signal, sys
    def save(number, frame):
        with open(os.path.join(os.environ["SM_MODEL_DIR"], "checkpoint"), "w") as f:
            f.write("saved")
        sys.exit(7)
    signal.signal(signal.SIGTERM, save)
    print("fitting", flush=True)
    while True:
        signal.pause()
    """
    run = platform.start_training(_job(platform, script))
    run.wait_for_output(b"fitting\n")
    run.terminate()
    result = run.wait()
    assert result.exit_code == 7
    assert (result.model_dir / "checkpoint").read_text() == "saved"


def test_sigterm_reaches_a_program_that_a_shell_starts(platform: Platform) -> None:
    """T-08, T-46."""
    tree = platform.tree()
    tree.write("code/go", "#!/bin/sh\ntrap 'echo stopped; exit 9' TERM\necho ready\nwhile :; do sleep 0.05; done\n")
    tree.hyperparameters(sagemaker_program="go")
    run = platform.start_training(tree)
    run.wait_for_output(b"ready\n")
    run.terminate()
    result = run.wait()
    assert result.exit_code == 9
    assert b"stopped\n" in result.stdout


def test_sigterm_reaches_what_a_plain_shell_script_runs(platform: Platform) -> None:
    """T-08, T-46: the shell itself ends at once, and passes nothing on; what it runs may finish."""
    script = """
    import os, signal, sys, time
    def save(number, frame):
        time.sleep(0.5)
        with open(os.path.join(os.environ["SM_MODEL_DIR"], "checkpoint"), "w") as f:
            f.write("saved")
        sys.exit(0)
    signal.signal(signal.SIGTERM, save)
    print("fitting", flush=True)
    while True:
        signal.pause()
    """
    tree = _job(platform, script)
    tree.write("code/go.sh", "#!/bin/sh\npython train.py\necho ended\n")
    tree.hyperparameters(sagemaker_program="go.sh")
    run = platform.start_training(tree)
    run.wait_for_output(b"fitting\n")
    run.terminate()
    result = run.wait()
    assert result.exit_code == 143
    assert (result.model_dir / "checkpoint").read_text() == "saved"


def test_sigterm_ends_a_program_with_workers(platform: Platform) -> None:
    """T-08: its handler saves and exits while joblib's processes are busy."""
    script = """
    import os, signal, sys, time
    from joblib import Parallel, delayed
    def save(number, frame):
        with open(os.path.join(os.environ["SM_MODEL_DIR"], "checkpoint"), "w") as f:
            f.write("saved")
        sys.exit(0)
    def work(number):
        print("working", flush=True)
        time.sleep(100)
    if __name__ == "__main__":
        signal.signal(signal.SIGTERM, save)
        Parallel(n_jobs=2)(delayed(work)(number) for number in range(2))
    """
    run = platform.start_training(_job(platform, script))
    run.wait_for_output(b"working\n")
    run.terminate()
    result = run.wait()
    assert (result.exit_code, result.succeeded) == (0, True)
    assert (result.model_dir / "checkpoint").read_text() == "saved"


def test_output_is_passed_on_byte_for_byte(platform: Platform) -> None:
    """T-12: bytes that are no UTF-8, and very long lines, on both streams."""
    script = """
    import os, sys
    long_line = b"x" * 300000
    sys.stdout.buffer.write(b"out \\xff\\x00\\n" + long_line + b"\\n")
    sys.stdout.flush()
    sys.stderr.buffer.write(b"err \\xfe\\n" + long_line + b"\\n")
    """
    result = platform.train(_job(platform, script))
    assert b"out \xff\x00\n" + b"x" * 300000 + b"\n" in result.stdout
    assert b"err \xfe\n" + b"x" * 300000 + b"\n" in result.stderr


def test_output_is_passed_on_while_the_program_runs(platform: Platform) -> None:
    """T-12: metrics show up when they are printed, without the program flushing at its end."""
    script = """
    import signal, sys
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    print("loss=0.5;", file=sys.stderr)
    signal.pause()
    """
    run = platform.start_training(_job(platform, script))
    run.wait_for_output(b"loss=0.5;\n")
    run.terminate()
    assert run.wait().exit_code == 0


def test_hyperparameters_are_decoded_once_and_passed_sorted(platform: Platform) -> None:
    """T-21, T-50, T-72, T-73, T-76."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    raw = {"b": "0.5", "a": '"x y"', "plain": "plain", "list": '[1, "a"]', "twice": '"[1]"', "map": '{"k": 1}'}
    tree.raw_hyperparameters({"sagemaker_program": '"train.py"', **raw, "flag": "true", "none": "null", "number": 3})
    seen = seen_by(platform.train(tree))
    assert " ".join(seen["argv"][:8]) == "-a x y -b 0.5 --flag True --list [1, 'a']"
    assert seen["argv"][8:] == [
        *("--map", "k=1", "--none", "", "--number", "3", "--plain", "plain", "--twice", "[1]"),
    ]
    assert json.loads(seen["env"]["SM_HPS"])["twice"] == "[1]"
    assert (seen["env"]["SM_HP_LIST"], seen["env"]["SM_HP_FLAG"], seen["env"]["SM_HP_NONE"]) == ('[1,"a"]', "true", "")
    assert json.loads(seen["env"]["SM_USER_ARGS"]) == seen["argv"]


def test_the_platforms_hyperparameters_stay_hidden(platform: Platform) -> None:
    """T-22, T-23."""
    tree = _job(
        platform,
        RECORDER,
        epochs=2,
        sagemaker_region="eu-west-1",
        sagemaker_job_name="job-1",
        sagemaker_new_thing=1,
        _tuning_objective_metric="auc",
    )
    seen = seen_by(platform.train(tree))
    assert seen["argv"] == ["--epochs", "2"]
    assert seen["env"]["SM_HPS"] == '{"epochs":2}'
    assert seen["env"]["SM_FRAMEWORK_PARAMS"] == '{"sagemaker_new_thing":1}'
    assert (seen["env"]["SAGEMAKER_REGION"], seen["env"]["SAGEMAKER_JOB_NAME"]) == ("eu-west-1", "job-1")


def test_channels_and_hosts_reach_the_program(platform: Platform) -> None:
    """T-20, T-24, T-26, T-70, T-71, T-79, T-80: unknown keys do no harm."""
    tree = _job(platform, RECORDER)
    tree.channel("train")
    tree.channel("my-val")
    tree.resources(current_host="algo-1", hosts=["algo-1"], network_interface_name="eth1", topology={"new": 1})
    env = seen_by(platform.train(tree))["env"]
    assert env["SM_CHANNELS"] == '["my-val","train"]'
    assert env["SM_CHANNEL_TRAIN"] == tree.inside("input/data/train")
    assert env["SM_CHANNEL_MY-VAL"] == tree.inside("input/data/my-val")
    assert (env["SM_HOSTS"], env["SM_CURRENT_HOST"], env["SM_NETWORK_INTERFACE_NAME"]) == (
        '["algo-1"]',
        "algo-1",
        "eth1",
    )
    assert json.loads(env["SM_RESOURCE_CONFIG"])["topology"] == {"new": 1}
    assert sorted(json.loads(env["SM_INPUT_DATA_CONFIG"])) == ["my-val", "train"]


def test_training_runs_without_any_configuration_file(platform: Platform) -> None:
    """L-07, T-27, T-40, T-52: the program comes from the environment; the result directories are made."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    env = seen_by(platform.train(tree, {"SAGEMAKER_PROGRAM": "train.py"}))["env"]
    assert (env["SM_CHANNELS"], env["SM_HPS"]) == ("[]", "{}")
    assert (tree.root / "output/data").is_dir()


def test_the_training_environment_is_complete(platform: Platform) -> None:
    """T-48, T-51, T-74, T-75, T-76, T-77, T-78, T-81, T-82, T-83, T-84, T-85, T-86, T-88."""
    tree = _job(platform, RECORDER, sagemaker_container_log_level=10)
    seen = seen_by(platform.train(tree, {"TRAINING_JOB_NAME": "job-2", "MY_SETTING": "kept"}))
    env = seen["env"]
    assert seen["cwd"] == tree.inside("code")
    assert env["PYTHONPATH"].startswith(tree.inside("code") + ":")
    assert any(entry.endswith("-packages") for entry in env["PYTHONPATH"].split(":"))
    expected = {
        "MY_SETTING": "kept",
        "TRAINING_JOB_NAME": "job-2",
        "SAGEMAKER_REGION": "",
        "SAGEMAKER_JOB_NAME": "",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": tree.inside("code"),
        "SM_FRAMEWORK_PARAMS": "{}",
        "SM_USER_ARGS": "[]",
        "SM_FRAMEWORK_MODULE": "sagemaker_sklearn_container.training:main",
        "SM_INPUT_DIR": tree.inside("input"),
        "SM_INPUT_CONFIG_DIR": tree.inside("input/config"),
        "SM_OUTPUT_DIR": tree.inside("output"),
        "SM_OUTPUT_DATA_DIR": tree.inside("output/data"),
        "SM_OUTPUT_INTERMEDIATE_DIR": tree.inside("output/intermediate"),
        "SM_MODEL_DIR": tree.inside("model"),
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "10",
    }
    assert {name: env.get(name) for name in expected} == expected
    facts = json.loads(env["SM_TRAINING_ENV"])
    assert (facts["job_name"], facts["is_master"], facts["num_cpus"]) == ("job-2", True, int(env["SM_NUM_CPUS"]))


def test_the_environment_names_the_program_before_the_hyperparameter(platform: Platform) -> None:
    """T-40."""
    tree = _job(platform, "raise SystemExit(5)")
    tree.code(other=RECORDER)
    assert seen_by(platform.train(tree, {"SAGEMAKER_PROGRAM": "other.py"}))["env"]["SM_USER_ENTRY_POINT"] == "other.py"


def test_no_program_is_a_clear_failure(platform: Platform) -> None:
    """T-02, T-40."""
    result = platform.train(platform.tree())
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith("No training program is named.")
    assert "SAGEMAKER_PROGRAM" in result.failure


def test_a_missing_program_is_a_clear_failure(platform: Platform) -> None:
    """T-02, T-04: names what is there."""
    tree = platform.tree()
    tree.code(train="")
    tree.hyperparameters(sagemaker_program="trian.py")
    failure = platform.train(tree).failure
    assert failure is not None
    assert "'trian.py' is not in" in failure
    assert "Nearest: 'train.py'" in failure


@pytest.mark.parametrize("form", ["archive", "directory", "file"])
def test_code_is_taken_from_where_the_job_says(platform: Platform, form: str) -> None:
    """T-41, T-42."""
    tree = platform.tree()
    tree.write_archive("input/data/source/archive", {"train.py": RECORDER})
    tree.write("input/data/source/directory/train.py", RECORDER)
    tree.write("input/data/source/file/train.py", RECORDER)
    where = tree.inside(f"input/data/source/{form}") + ("/train.py" if form == "file" else "")
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=where)
    seen = seen_by(platform.train(tree, {"SAGEMAKER_SUBMIT_DIRECTORY": "/hyperparameter/wins"}))
    assert seen["cwd"] == tree.inside("code")
    assert seen["env"]["SM_MODULE_DIR"] == where


def test_code_already_in_place_is_used_untouched(platform: Platform) -> None:
    """T-43: the source is not looked at, and nothing is written beside the user's files."""
    tree = _job(platform, RECORDER, sagemaker_submit_directory="s3://nowhere/code.tar.gz")
    seen_by(platform.train(tree))
    assert [path.name for path in (tree.root / "code").iterdir()] == ["train.py"]


def test_an_archive_cannot_write_outside_the_code_directory(platform: Platform) -> None:
    """T-44."""
    tree = platform.tree()
    tree.write_archive("input/code.tar.gz", {"train.py": RECORDER, "../escaped.py": ""})
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=tree.inside("input/code.tar.gz"))
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "'../escaped.py' would be written outside" in result.failure
    assert not (tree.root / "escaped.py").exists()


def test_a_program_in_a_subdirectory_works(platform: Platform) -> None:
    """T-49."""
    tree = platform.tree()
    tree.write("code/pkg/train.py", RECORDER)
    tree.hyperparameters(sagemaker_program="pkg/train.py")
    assert seen_by(platform.train(tree))["cwd"] == tree.inside("code")


def test_any_executable_can_be_the_program(platform: Platform) -> None:
    """T-46: arguments keep their spaces; the file need not be executable yet."""
    tree = platform.tree()
    tree.write("code/go.sh", '#!/bin/sh\necho "in $PWD:$1:$2"\n')
    tree.hyperparameters(sagemaker_program="go.sh", text="two  words; exit 9")
    result = platform.train(tree)
    assert result.exit_code == 0
    assert f"in {tree.inside('code')}:--text:two  words; exit 9\n".encode() in result.stdout


def test_requirements_that_cannot_be_installed_fail_the_job(platform: Platform) -> None:
    """T-47: with a message that names the step; the program is not started."""
    tree = _job(platform, "print('started')")
    tree.write("code/requirements.txt", "./no-such-directory\n")
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith("Installing the user's requirements.txt failed")
    assert b"started" not in result.stdout


def test_no_mpi_is_started(platform: Platform) -> None:
    """T-22, T-53: one process per host, whatever the job asks for."""
    env = seen_by(
        platform.train(_job(platform, RECORDER, sagemaker_mpi_enabled=True, sagemaker_mpi_num_of_processes=4))
    )["env"]
    assert json.loads(env["SM_FRAMEWORK_PARAMS"])["sagemaker_mpi_enabled"] is True
    assert [name for name in env if name.startswith(("OMPI_", "PMIX_"))] == []


def test_the_log_level_comes_from_the_environment_if_from_nowhere_else(platform: Platform) -> None:
    """T-31."""
    environ = {"SAGEMAKER_CONTAINER_LOG_LEVEL": "40"}
    result = platform.train(_job(platform, RECORDER), environ)
    assert seen_by(result)["env"]["SM_LOG_LEVEL"] == "40"
    assert b"Invoking user script" not in result.stderr
    result = platform.train(_job(platform, RECORDER, sagemaker_container_log_level=20), environ)
    assert seen_by(result)["env"]["SM_LOG_LEVEL"] == "20"


def test_the_log_shows_the_job_and_no_secrets(platform: Platform) -> None:
    """T-11."""
    tree = _job(platform, "print('done')", depth=3, db_password="hunter2", label="two words")
    result = platform.train(tree, {"HF_TOKEN": "hf_123", "MIRROR": "https://me:pa55@mirror/simple", "PLAIN": "shown"})
    log = result.stderr.decode()
    for wanted in ('"depth": 3', "PLAIN=shown", "SM_HP_DEPTH=3", "MIRROR=https://******@mirror/simple"):
        assert wanted in log
    assert "train.py --db_password '******' --depth 3 --label 'two words'" in log
    assert log.index("Invoking user script") < log.index("Reporting training SUCCESS")
    for secret in ("hunter2", "hf_123", "pa55"):
        assert secret not in log


def test_orphans_are_reaped(platform: Platform) -> None:
    """T-09: a process whose parent has ended leaves no zombie behind."""
    script = """
    import pathlib, subprocess, sys, time
    orphans = [int(subprocess.check_output("sleep 0.2 >/dev/null & echo $!", shell=True)) for _ in range(5)]
    deadline = time.monotonic() + 20
    while [pid for pid in orphans if pathlib.Path(f"/proc/{pid}").exists()]:
        if time.monotonic() > deadline:
            sys.exit(9)
        time.sleep(0.05)
    print("no zombies")
    """
    result = platform.train(_job(platform, script))
    assert (result.exit_code, result.stdout) == (0, b"no zombies\n")


def test_sigterm_ends_a_job_that_has_not_started_its_program(platform: Platform) -> None:
    """T-02, T-08: while the requirements are installed."""
    tree = platform.tree()
    tree.package("slow", train="print('started')")
    tree.write("code/setup.py", "import time; print('building', flush=True)\nwhile True: time.sleep(1)\n")
    tree.hyperparameters(sagemaker_program="slow/train.py")
    run = platform.start_training(tree, {"PIP_VERBOSE": "1"})
    run.wait_for_output(b"building")
    run.terminate()
    result = run.wait()
    assert (result.exit_code, result.succeeded) == (143, False)
    assert result.failure == "Training was stopped by SIGTERM before the user's program was started."


def test_pipes_are_left_to_the_program(platform: Platform) -> None:
    """T-25: each epoch's is opened by the program alone, and read to its end."""
    script = """
    import os
    for epoch in range(2):
        with open(f"{os.environ['SM_CHANNEL_TRAIN']}_{epoch}", "rb") as pipe:
            print(len(pipe.read()))
    """
    tree = _job(platform, script)
    tree.channel("train", mode="Pipe")
    pipes = [tree.root / f"input/data/train_{epoch}" for epoch in range(2)]
    for pipe in pipes:
        os.mkfifo(pipe)
    run = platform.start_training(tree)
    for pipe in pipes:
        with pipe.open("wb") as sink:  # waits for a reader, as the platform does
            sink.write(b"x" * 100000)
    result = run.wait()
    assert (result.exit_code, result.stdout) == (0, b"100000\n100000\n")
    assert [path.name for path in (tree.root / "input/data").iterdir() if path.is_dir()] == []


def test_checkpoints_are_left_alone(platform: Platform) -> None:
    """T-55: what is deleted there is deleted in S3."""
    tree = _job(platform, RECORDER)
    checkpoint = tree.write("checkpoints/epoch-1/state", "weights")
    tree.write("input/config/checkpointconfig.json", '{"LocalPath": "/opt/ml/checkpoints"}')
    before = checkpoint.stat().st_mtime_ns
    environ = {"SM_CHECKPOINT_CONFIG_FILE": tree.inside("input/config/checkpointconfig.json")}
    assert (
        seen_by(platform.train(tree, environ))["env"]["SM_CHECKPOINT_CONFIG_FILE"]
        == environ["SM_CHECKPOINT_CONFIG_FILE"]
    )
    assert (checkpoint.read_text(), checkpoint.stat().st_mtime_ns) == ("weights", before)
    assert [path.name for path in (tree.root / "checkpoints").iterdir()] == ["epoch-1"]


def test_instances_are_described(platform: Platform) -> None:
    """T-28, T-87."""
    tree = _job(platform, RECORDER)
    group = {"instance_group_name": "g", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    tree.resources(
        current_host="algo-1",
        hosts=["algo-1"],
        current_instance_type="ml.m5.large",
        current_group_name="g",
        instance_groups=[group],
    )
    env = seen_by(platform.train(tree))["env"]
    assert (env["SM_CURRENT_INSTANCE_TYPE"], env["SM_CURRENT_INSTANCE_GROUP"]) == ("ml.m5.large", "g")
    assert (env["SM_INSTANCE_GROUPS"], env["SM_IS_HETERO"], env["SM_NUM_NEURONS"]) == ('["g"]', "false", "0")
    assert json.loads(env["SM_INSTANCE_GROUPS_DICT"]) == {"g": group}


@pytest.mark.parametrize(
    "imports",
    [
        "from sagemaker_training import environment; env = environment.Environment()",
        "import sagemaker_containers; env = sagemaker_containers.training_env()",
        "from sagemaker_containers.beta.framework.env import TrainingEnv; env = TrainingEnv()",
    ],
)
def test_scripts_read_the_job_through_the_old_packages(platform: Platform, imports: str) -> None:
    """U-43."""
    script = f"""
    import json, os
    {imports}
    assert env.hyperparameters == {{"depth": 3}}, env.hyperparameters
    assert env.channel_input_dirs["train"] == os.environ["SM_CHANNEL_TRAIN"]
    assert (env.model_dir, env.current_host) == (os.environ["SM_MODEL_DIR"], "algo-1")
    assert env.to_env_vars() == {{name: text for name, text in os.environ.items() if name in env.to_env_vars()}}
    print("same")
    """
    tree = _job(platform, script, depth=3, sagemaker_region="eu-west-1")
    tree.channel("train")
    tree.resources(current_host="algo-1", hosts=["algo-1"])
    result = platform.train(tree)
    assert (result.exit_code, result.stdout) == (0, b"same\n"), result.failure


def test_scripts_import_the_old_packages_at_their_top(platform: Platform) -> None:
    """U-40 to U-42: as the official example does, for training and serving alike."""
    script = """
    from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker
    assert encoders.encode([[1, 2], [3, 4]], content_types.CSV) == "1,2\\n3,4\\n"
    assert encoders.decode("1,2", content_types.CSV).tolist() == [1.0, 2.0]
    response = worker.Response(encoders.encode([1], content_types.JSON), mimetype=content_types.JSON)
    print(response.status_code, response.mimetype, response.get_data(as_text=True))
    """
    result = platform.train(_job(platform, script))
    assert (result.exit_code, result.stdout) == (0, b"200 application/json [1]\n"), result.failure


def test_a_training_module_of_the_users_own_is_called_instead(platform: Platform) -> None:
    """T-54."""
    tree = platform.tree()
    tree.write("code/own_training.py", "def run():\n    print('own training')\n")
    environ = {"SAGEMAKER_TRAINING_MODULE": "own_training:run", "PYTHONPATH": tree.inside("code")}
    result = platform.train(tree, environ)
    assert (result.exit_code, result.succeeded) == (0, True)
    assert b"own training\n" in result.stdout


@pytest.mark.parametrize(
    ("body", "exit_code", "reason"),
    [
        ("raise ValueError('no data')", 1, "ValueError: no data"),
        ("import sys; sys.exit(3)", 3, "own_training:run ended with exit code 3"),
        ("import sys; sys.exit('no data')", 1, "no data"),
        ("import sys; sys.exit(0)", 0, None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143, "own_training:run ended with exit code 143"),
    ],
)
def test_however_a_training_module_of_the_users_own_ends_it_is_reported(
    platform: Platform, body: str, exit_code: int, reason: str | None
) -> None:
    """T-03, T-04, T-07, T-08, T-54."""
    tree = platform.tree()
    tree.write("code/own_training.py", f"def run():\n    {body}\n")
    environ = {"SAGEMAKER_TRAINING_MODULE": "own_training:run", "PYTHONPATH": tree.inside("code")}
    result = platform.train(tree, environ)
    assert (result.exit_code, result.succeeded) == (exit_code, exit_code == 0)
    assert (result.failure or "").startswith(reason or "")
    assert (result.failure is None) == (reason is None)


def example(name: str) -> str:
    """The text of a file of the examples, such as `iris/train.py`."""
    return (Path(__file__).parents[2] / "examples" / name).read_text()


def test_the_iris_example_trains(platform: Platform) -> None:
    """T-57: prints its metric and leaves a model."""
    tree = platform.tree()
    tree.code(train=example("iris/train.py"))
    tree.channel("train", iris_csv=example("iris/iris.csv"))
    tree.hyperparameters(sagemaker_program="train.py", c=0.5)
    result = platform.train(tree)
    assert result.exit_code == 0, result.stderr.decode(errors="replace")
    assert b"accuracy=" in result.stdout
    assert [path.name for path in result.model_dir.iterdir()] == ["model.joblib"]


def test_the_tuning_example_searches_its_grid_over_all_cores(platform: Platform) -> None:
    """T-12, T-52, T-84: prints metrics, leaves the model and the results."""
    tree = platform.tree()
    tree.code(train=example("tuning/train.py"))
    tree.channel("train", iris_csv=example("iris/iris.csv"))
    tree.hyperparameters(sagemaker_program="train.py", folds=3)
    result = platform.train(tree)
    assert result.exit_code == 0, result.failure
    validation = re.findall(rb"^validation:accuracy=(0\.\d{4});", result.stdout, re.MULTILINE)
    assert len(validation) == 6
    assert min(map(float, validation)) > 0.8
    accuracy = re.search(rb"^test:accuracy=(\d\.\d{4});$", result.stdout, re.MULTILINE)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.8
    cpus = re.search(rb"SM_NUM_CPUS=(\d+)", result.stderr)
    assert cpus is not None
    assert b"(of 6, by %b processes)" % cpus[1] in result.stdout
    assert [path.name for path in result.model_dir.iterdir()] == ["model.joblib"]
    assert len((tree.root / "output/data/grid.csv").read_text().splitlines()) == 7
