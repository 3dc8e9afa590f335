"""Whether a tumour is malignant out of thirty measurements: dense features, reduced to a few components."""

from __future__ import annotations

from sagemaker_sklearn_extension.decomposition import RobustPCA
from sagemaker_sklearn_extension.externals import Header
from sagemaker_sklearn_extension.impute import RobustImputer
from sagemaker_sklearn_extension.preprocessing import (
    QuantileExtremeValuesTransformer,
    RobustLabelEncoder,
    RobustStandardScaler,
)
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

HEADER = Header(
    column_names=["diagnosis", *(f"measurement {number}" for number in range(30))], target_column_name="diagnosis"
)


def build_feature_transform() -> Pipeline:
    """Features, dense."""
    numeric = HEADER.as_feature_indices([f"measurement {number}" for number in range(30)])
    numeric_processors = Pipeline([("imputer", RobustImputer()), ("extremes", QuantileExtremeValuesTransformer())])
    return Pipeline(
        [
            ("columns", ColumnTransformer([("numeric", numeric_processors, numeric)])),
            ("scaler", RobustStandardScaler()),
            ("pca", RobustPCA(n_components=8, svd_solver="full")),
        ]
    )


def build_label_transform() -> RobustLabelEncoder:
    """0 for benign, 1 for malignant."""
    return RobustLabelEncoder(labels=["benign", "malignant"], fill_label_value="malignant")
