"""Fits the transforms of one processor module to the data of the job."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import shutil
import warnings
from types import ModuleType
from typing import Any

from joblib import dump
from sagemaker_sklearn_extension.externals import AutoMLTransformer
from sagemaker_sklearn_extension.externals.read_data import read_csv_data

logger = logging.getLogger(__name__)

MODEL_FILE = "model.joblib"
SERVING_FILE = "sagemaker_serve.py"
HERE = os.path.dirname(os.path.abspath(__file__))


def load_processor(name: str) -> ModuleType:
    """The processor module: `dpp0`, or `package.dpp0` if the modules are installed."""
    return importlib.import_module(name, package="candidate_data_processors")


def label_transform_of(processor: ModuleType) -> Any:
    """The label transform, or None: a module for regression need not have one."""
    try:
        return processor.build_label_transform()
    except AttributeError:
        logger.info("%s has no label transform", processor.__name__)
        return None


def train(processor: ModuleType, data_dir: str, model_dir: str) -> AutoMLTransformer:
    """Fit the transforms of `processor` to the CSV files of `data_dir` and write the result to `model_dir`."""
    header = processor.HEADER
    features, target = read_csv_data(source=data_dir, target_column_index=header.target_column_index, output_dtype="O")
    logger.info("Read %d rows", len(features))
    transformer = AutoMLTransformer(header, processor.build_feature_transform(), label_transform_of(processor))
    transformer.fit(features, target)
    dump(transformer, os.path.join(model_dir, MODEL_FILE))
    return transformer


def copy_code(model_dir: str) -> None:
    """Put the serving script beside the model, and all modules into `code`: endpoints name either."""
    shutil.copyfile(os.path.join(HERE, SERVING_FILE), os.path.join(model_dir, SERVING_FILE))
    code_dir = os.path.join(model_dir, "code")
    os.makedirs(code_dir, exist_ok=True)
    for name in sorted(os.listdir(HERE)):
        if name.endswith(".py"):
            shutil.copyfile(os.path.join(HERE, name), os.path.join(code_dir, name))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-p", "--processor_module", required=True, help="name of the processor module")
    parser.add_argument("-d", "--data_dir", default="/opt/ml/input/data/train", help="directory of the CSV files")
    parser.add_argument("-m", "--model_dir", default="/opt/ml/model", help="directory for the model")
    arguments, _ = parser.parse_known_args()
    train(load_processor(arguments.processor_module), arguments.data_dir, arguments.model_dir)
    copy_code(arguments.model_dir)
