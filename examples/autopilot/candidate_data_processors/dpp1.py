"""Price of an order out of everything else: dense features, the words among them reduced to a few components."""

from __future__ import annotations

from sagemaker_sklearn_extension.decomposition import RobustPCA
from sagemaker_sklearn_extension.externals import Header
from sagemaker_sklearn_extension.feature_extraction.date_time import DateTimeVectorizer
from sagemaker_sklearn_extension.feature_extraction.text import MultiColumnTfidfVectorizer
from sagemaker_sklearn_extension.impute import RobustImputer
from sagemaker_sklearn_extension.preprocessing import (
    NALabelEncoder,
    QuantileExtremeValuesTransformer,
    RobustOrdinalEncoder,
    RobustStandardScaler,
)
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

HEADER = Header(
    column_names=["date", "city", "channel", "comment", "priority", "items", "weight", "price"],
    target_column_name="price",
)


def build_feature_transform() -> Pipeline:
    """Features, dense."""
    numeric = Pipeline(
        [("imputer", RobustImputer()), ("extremes", QuantileExtremeValuesTransformer(quantile=98, threshold_std=4.0))]
    )
    text = Pipeline(
        [("tfidf", MultiColumnTfidfVectorizer(min_df=2)), ("pca", RobustPCA(n_components=5, random_state=3))]
    )
    dates = Pipeline([("vectorizer", DateTimeVectorizer(mode="cyclic")), ("imputer", RobustImputer())])
    column_transformer = ColumnTransformer(
        [
            ("numeric", numeric, HEADER.as_feature_indices(["items", "weight"])),
            ("categorical", RobustOrdinalEncoder(), HEADER.as_feature_indices(["city", "channel", "priority"])),
            ("text", text, HEADER.as_feature_indices(["comment"])),
            ("dates", dates, HEADER.as_feature_indices(["date"])),
        ]
    )
    return Pipeline([("columns", column_transformer), ("scaler", RobustStandardScaler())])


def build_label_transform() -> NALabelEncoder:
    """The price, or nothing where it is no number."""
    return NALabelEncoder()
