"""Priority of an order, one of three, out of everything else: sparse features, of words and dates among others."""

from __future__ import annotations

from datetime import datetime as dt

from numpy import nan
from sagemaker_sklearn_extension.decomposition import RobustPCA
from sagemaker_sklearn_extension.externals import Header
from sagemaker_sklearn_extension.feature_extraction.date_time import DateTimeVectorizer
from sagemaker_sklearn_extension.feature_extraction.text import MultiColumnTfidfVectorizer
from sagemaker_sklearn_extension.impute import RobustImputer, RobustMissingIndicator
from sagemaker_sklearn_extension.preprocessing import RobustLabelEncoder, RobustStandardScaler, ThresholdOneHotEncoder
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

HEADER = Header(
    column_names=["date", "city", "channel", "comment", "priority", "items", "weight", "price"],
    target_column_name="priority",
)


def build_feature_transform() -> Pipeline:
    """Features, CSR matrix."""
    numeric = HEADER.as_feature_indices(["items", "weight", "price"])
    categorical = HEADER.as_feature_indices(["city", "channel"])
    text = HEADER.as_feature_indices(["comment"])
    dates = HEADER.as_feature_indices(["date"])

    numeric_processors = FeatureUnion(
        [
            ("imputer", RobustImputer(strategy="constant", fill_values=nan)),
            ("indicator", RobustMissingIndicator()),
        ]
    )
    column_transformer = ColumnTransformer(
        [
            ("numeric", Pipeline([("union", numeric_processors), ("mean", RobustImputer(strategy="mean"))]), numeric),
            ("categorical", ThresholdOneHotEncoder(threshold=5), categorical),
            ("text", MultiColumnTfidfVectorizer(max_df=0.98, min_df=2, max_features=60), text),
            (
                "dates",
                Pipeline(
                    [
                        ("vectorizer", DateTimeVectorizer(mode="ordinal", default_datetime=dt(1970, 1, 1))),
                        ("imputer", RobustImputer()),
                    ]
                ),
                dates,
            ),
        ],
        sparse_threshold=1.0,
    )
    return Pipeline(
        [
            ("columns", column_transformer),
            ("pca", RobustPCA(n_components=1000)),
            ("scaler", RobustStandardScaler()),
        ]
    )


def build_label_transform() -> RobustLabelEncoder:
    """Number of the priority."""
    return RobustLabelEncoder(labels=["high", "low", "normal"], fill_label_value="low")
