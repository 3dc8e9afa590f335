"""Cultivar of a wine, as its number in the data, out of thirteen measurements: dense features, sent sparse."""

from __future__ import annotations

from sagemaker_sklearn_extension.externals import Header
from sagemaker_sklearn_extension.impute import RobustImputer
from sagemaker_sklearn_extension.preprocessing import RobustStandardScaler
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder

HEADER = Header(
    column_names=[*(f"m{number}" for number in range(6)), "cultivar", *(f"m{number}" for number in range(6, 13))],
    target_column_name="cultivar",
)


def build_feature_transform() -> Pipeline:
    """Features, dense."""
    numeric = HEADER.as_feature_indices([f"m{number}" for number in range(13)])
    column_transformer = ColumnTransformer([("numeric", RobustImputer(strategy="mean"), numeric)])
    return Pipeline([("columns", column_transformer), ("scaler", RobustStandardScaler())])


def build_label_transform() -> LabelEncoder:
    """Number of the cultivar; knows no others."""
    return LabelEncoder()
