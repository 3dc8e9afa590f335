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


def libraries_layer(name, requirements, parents=()):
    """A layer of the libraries that `requirements` adds to what its parent images hold.

    Three targets, so that a changed tool or trimming rule downloads nothing and a changed pin of another image runs
    only the first: `:NAME-pins` (lock -> this image's pins), `:NAME-wheels` (pins -> wheels), `:NAME` (wheels -> tar).
    """
    adhoc_tool(
        name=f"{name}-pins",
        runnable="src/image_layers:tool",
        args=[
            "select",
            "--lock=3rdparty/python/runtime.lock",
            f"--image=3rdparty/python/{requirements}",
            *(f"--parent=3rdparty/python/{parent}" for parent in parents),
            f"--out={name}.pins.txt",
        ],
        execution_dependencies=["3rdparty/python:lists", "3rdparty/python:runtime-lock"],
        output_files=[f"{name}.pins.txt"],
        workdir="/",
    )
    adhoc_tool(
        name=f"{name}-wheels",
        runnable="src/image_layers:tool",
        args=["wheels", f"--requirements={name}.pins.txt", f"--out={name}-wheels"],
        execution_dependencies=[f":{name}-pins"],
        extra_env_vars=DOWNLOAD_ENVIRONMENT,
        output_directories=[f"{name}-wheels"],
        workdir="/",
    )
    adhoc_tool(
        name=name,
        runnable="src/image_layers:tool",
        args=[
            "libraries",
            f"--wheels={name}-wheels",
            "--trimming=3rdparty/python/trimming.txt",
            "--overrides=3rdparty/python/overrides.txt",
            "--excludes=3rdparty/python/excludes.txt",
            f"--out={name}.tar",
        ],
        execution_dependencies=[f":{name}-wheels", "3rdparty/python:corrections"],
        extra_env_vars=LAYER_ENVIRONMENT,
        output_files=[f"{name}.tar"],
        workdir="/",
    )
