"""The settings are parsed from the environment once, with every bad value worded."""

from typing import Dict

import pytest

from pants_launcher.errors import LauncherError
from pants_launcher.settings import Settings, from_environment


def test_a_home_is_enough() -> None:
    assert from_environment({"HOME": "/home/ann"}) == Settings(
        cache_dir="/home/ann/.cache/sklearn-images",
        start_engine=True,
        need_engine=True,
        docker_host=None,
        docker_context=None,
        docker_config="/home/ann/.docker",
        docker_tls=False,
        pyenv_root="/home/ann/.pyenv",
        path=(),
    )


def test_every_variable_is_taken() -> None:
    env = {
        "HOME": "/home/ann",
        "SKLEARN_IMAGES_CACHE": "/big/cache/",
        "SKLEARN_IMAGES_START_ENGINE": "No",
        "SKLEARN_IMAGES_NEED_ENGINE": "false",
        "DOCKER_HOST": "tcp://127.0.0.1:2376",
        "DOCKER_CONTEXT": "far",
        "DOCKER_CONFIG": "/etc/docker-client",
        "DOCKER_TLS_VERIFY": "1",
        "PYENV_ROOT": "/opt/pyenv",
        "PATH": "/usr/bin::/bin",
    }
    assert from_environment(env) == Settings(
        cache_dir="/big/cache",
        start_engine=False,
        need_engine=False,
        docker_host="tcp://127.0.0.1:2376",
        docker_context="far",
        docker_config="/etc/docker-client",
        docker_tls=True,
        pyenv_root="/opt/pyenv",
        path=("/usr/bin", "/bin"),
    )


@pytest.mark.parametrize(
    ("env", "cache_dir"),
    [
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": "/var/cache/ann"}, "/var/cache/ann/sklearn-images"),
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": "relative"}, "/home/ann/.cache/sklearn-images"),
        ({"XDG_CACHE_HOME": "/var/cache/ann"}, "/var/cache/ann/sklearn-images"),
        ({"HOME": "/home/ann", "SKLEARN_IMAGES_CACHE": ""}, "/home/ann/.cache/sklearn-images"),
    ],
)
def test_the_cache_folder_follows_the_xdg_specification(env: Dict[str, str], cache_dir: str) -> None:
    assert from_environment(env).cache_dir == cache_dir


@pytest.mark.parametrize("word", ["no", "0", "false", " FALSE "])
def test_words_for_no(word: str) -> None:
    assert not from_environment({"HOME": "/h", "SKLEARN_IMAGES_START_ENGINE": word}).start_engine


@pytest.mark.parametrize("word", ["yes", "1", "true", ""])
def test_words_for_yes(word: str) -> None:
    assert from_environment({"HOME": "/h", "SKLEARN_IMAGES_START_ENGINE": word}).start_engine


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            {"HOME": "/h", "SKLEARN_IMAGES_START_ENGINE": "maybe"},
            "cannot read the setting SKLEARN_IMAGES_START_ENGINE: it is 'maybe'.\n"
            "Set it to one of yes, 1, true, no, 0, false, or unset it (which means yes).",
        ),
        (
            {"HOME": "/h", "SKLEARN_IMAGES_CACHE": "cache"},
            "cannot tell where to keep the private install of Pants: SKLEARN_IMAGES_CACHE is 'cache', which is"
            " relative.\n"
            "Set SKLEARN_IMAGES_CACHE to an absolute path, or unset it to use ~/.cache/sklearn-images.",
        ),
        (
            {},
            "cannot tell where to keep the private install of Pants:"
            " SKLEARN_IMAGES_CACHE, XDG_CACHE_HOME and HOME are all unset.\n"
            "Set SKLEARN_IMAGES_CACHE to an absolute path.",
        ),
    ],
)
def test_a_bad_value_is_named(env: Dict[str, str], message: str) -> None:
    with pytest.raises(LauncherError) as caught:
        from_environment(env)
    assert str(caught.value) == message
