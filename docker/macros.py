"""The steps that all three images share, from an image's requirements list to a layer."""

# The one date of everything built here: 2026-01-01. Layers and wheels hold it in place of the time of the build.
SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH=1767225600"

LAYER_ENVIRONMENT = (
    SOURCE_DATE_EPOCH,
    # Sets and dictionaries of strings are written into bytecode in hash order.
    "PYTHONHASHSEED=0",
)

# Tuples, since Pants asks for hashable values here.
# The machine's own settings of pip and of the network, where it has any.
DOWNLOAD_ENVIRONMENT = (
    "HOME",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)


def layer(name, args, inputs=(), environment=(), log_output=False):
    """The layer `NAME.tar`, written by one run of the layer tool.

    Args:
        name: Of the target; ends in `-layer`.
        args: The tool's command and its options, without `--out`.
        inputs: Targets whose files the tool reads, by their paths in the repository.
        environment: Further variables of the machine's that it sees.
        log_output: Whether to show what the tool says even when it succeeds.
    """
    _run(
        name=name,
        args=[*args, f"--out={name}.tar"],
        inputs=inputs,
        environment=[*LAYER_ENVIRONMENT, *environment],
        output_files=[f"{name}.tar"],
        log_output=log_output,
    )


def wheels_layer(name, wheels, inputs):
    """A layer of the wheels in the folder `wheels`, unpacked, trimmed, corrected, some files replaced, and compiled."""
    layer(
        name=name,
        args=[
            "libraries",
            f"--wheels={wheels}",
            "--trimming=3rdparty/python/trimming.txt",
            "--overrides=3rdparty/python/overrides.txt",
            "--excludes=3rdparty/python/excludes.txt",
            "--replacements=3rdparty/python/replacements.txt",
        ],
        inputs=["3rdparty/python:corrections", *inputs],
    )


def libraries_layer(name, requirements, parents=()):
    """A layer of the libraries that `requirements` adds to what its parent images hold.

    Three targets, so that a changed tool or trimming rule downloads nothing and a changed pin of another image runs
    only the first: `:NAME-pins` (lock -> this image's pins), `:NAME-wheels` (pins -> wheels), `:NAME` (wheels -> tar).
    """
    pins(name=f"{name}-pins", requirements=requirements, parents=parents, output=f"--out={name}-pins.txt")
    _run(
        name=f"{name}-wheels",
        args=["wheels", f"--requirements={name}-pins.txt", f"--out={name}-wheels"],
        inputs=[f":{name}-pins"],
        environment=DOWNLOAD_ENVIRONMENT,
        output_directories=[f"{name}-wheels"],
    )
    wheels_layer(name=name, wheels=f"{name}-wheels", inputs=[f":{name}-wheels"])


def pins(name, requirements, parents, output):
    """What the lock has for an image, as the layer tool's option `output` says."""
    _run(
        name=name,
        args=[
            "select",
            "--lock=3rdparty/python/runtime.lock",
            f"--image=3rdparty/python/{requirements}",
            *(f"--parent=3rdparty/python/{parent}" for parent in parents),
            output,
        ],
        inputs=["3rdparty/python:lists", "3rdparty/python:runtime-lock"],
        output_files=[output.partition("=")[2]],
    )


def _run(name, args, inputs=(), environment=(), output_files=(), output_directories=(), log_output=False):
    adhoc_tool(
        name=name,
        runnable="src/image_layers:tool",
        args=args,
        execution_dependencies=list(inputs),
        extra_env_vars=list(environment),
        output_files=list(output_files),
        output_directories=list(output_directories),
        log_output=log_output,
        workdir="/",
    )
