"""Species of an iris out of four measurements: dense features, scaled."""

from __future__ import annotations

from sagemaker_sklearn_extension.externals import Header
from sagemaker_sklearn_extension.impute import RobustImputer
from sagemaker_sklearn_extension.preprocessing import RobustLabelEncoder, RobustStandardScaler
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

HEADER = Header(
    column_names=["sepal length", "sepal width", "petal length", "petal width", "species"],
    target_column_name="species",
)


def build_feature_transform() -> Pipeline:
    """Features, dense."""
    numeric = HEADER.as_feature_indices(["sepal length", "sepal width", "petal length", "petal width"])
    column_transformer = ColumnTransformer([("numeric", Pipeline([("imputer", RobustImputer())]), numeric)])
    return Pipeline([("columns", column_transformer), ("scaler", RobustStandardScaler())])


def build_label_transform() -> RobustLabelEncoder:
    """Number of the species."""
    return RobustLabelEncoder(labels=["setosa", "versicolor", "virginica"])
