"""Progress of diabetes after a year out of ten measurements: dense features; the target is a number as it is."""

from __future__ import annotations

from sagemaker_sklearn_extension.externals import Header
from sagemaker_sklearn_extension.impute import RobustImputer, RobustMissingIndicator
from sagemaker_sklearn_extension.preprocessing import RobustStandardScaler
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

HEADER = Header(
    column_names=["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progress"],
    target_column_name="progress",
)


def build_feature_transform() -> Pipeline:
    """Features, dense."""
    numeric = HEADER.as_feature_indices(["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"])
    numeric_processors = FeatureUnion([("imputer", RobustImputer()), ("indicator", RobustMissingIndicator())])
    column_transformer = ColumnTransformer([("numeric", numeric_processors, numeric)])
    return Pipeline([("columns", column_transformer), ("scaler", RobustStandardScaler())])
