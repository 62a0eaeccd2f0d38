"""The whole job with pandas and scikit-learn, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.task import Done, Spent, Task, clock

# Training messages of a model that is only used afterwards
TRAINED_ON = 6000
# where only the cost of prediction counts
TRAINED_LIGHTLY_ON = 1500
CLASS_OF_STARS = {1: 0, 2: 0, 3: 1, 4: 2, 5: 2}


def read_messages(files: Sequence[str], at_most: int | None = None) -> pd.DataFrame:
    """Read files of JSON lines."""
    frames = [pd.read_json(file, lines=True, nrows=at_most, dtype={"text": str}) for file in files]
    messages = pd.concat(frames, ignore_index=True)
    return messages.head(at_most) if at_most else messages


def join(messages: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Join messages with their users and businesses."""
    if task.users:
        users = pd.read_json(task.users, lines=True)[["user_id", "yelping_since", "elite", "review_count"]]
        messages = messages.merge(users, on="user_id", how="left")
    if task.businesses:
        businesses = pd.read_json(task.businesses, lines=True)[["business_id", "categories"]]
        messages = messages.merge(businesses, on="business_id", how="left")
    return messages


def sound(messages: pd.DataFrame) -> pd.DataFrame:
    """Leave out messages without an id, a date or a text, and duplicates."""
    messages = messages.dropna(subset=["review_id", "text", "date"])
    messages = messages[messages["text"].str.strip().ne("")]
    return messages.drop_duplicates("review_id")


def add_features(messages: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that a user would derive, with the methods of ``.str`` and ``.dt``."""
    text = messages["text"].str.replace(r"\s+", " ", regex=True).str.strip()
    date = pd.to_datetime(messages["date"])
    words = text.str.count(r"\S+")
    found: dict[str, Any] = {
        "text": text,
        "text_length": text.str.len(),
        "word_count": words,
        "mean_word_length": text.str.count(r"\S") / words,
        "exclamation_count": text.str.count("!"),
        "question_count": text.str.count(r"\?"),
        "capital_share": text.str.count(r"[A-Z]") / text.str.count(r"[A-Za-z]"),
        "digit_share": text.str.count(r"\d") / text.str.len(),
        "year": date.dt.year,
        "month": date.dt.month,
        "weekday": date.dt.dayofweek,
        "hour": date.dt.hour,
    }
    if "yelping_since" in messages:
        found["tenure_days"] = (date - pd.to_datetime(messages["yelping_since"])).dt.days
        found["elite_years"] = messages["elite"].astype(str).str.count(r"\d{4}")
    if "categories" in messages:
        found["category_count"] = messages["categories"].str.count(",") + 1
    return messages.assign(**found)


def numbers(messages: pd.DataFrame) -> pd.DataFrame:
    """Return the derived columns that are numbers."""
    names = [name for name in messages.select_dtypes("number") if name not in ("stars", "useful", "funny", "cool")]
    return messages[names].astype(float)


def trained(task: Task, messages: int = TRAINED_ON) -> tuple[Any, Any]:
    """Return TF-IDF with a logistic regression, and XGBoost on its probabilities and the derived columns."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from xgboost import XGBClassifier

    rows = add_features(sound(join(read_messages(task.labelled, messages), task)))
    labels = rows["stars"].map(CLASS_OF_STARS)
    words = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
        LogisticRegression(C=4.0, class_weight="balanced", max_iter=1000),
    ).fit(rows["text"].to_list(), labels)
    trees = XGBClassifier(n_estimators=200, max_depth=4, tree_method="hist")
    return words, trees.fit(with_scores(words, rows), labels)


def with_scores(words: Any, messages: pd.DataFrame) -> pd.DataFrame:
    """Return the derived columns and the probabilities of the words' model."""
    scores = words.predict_proba(messages["text"].to_list())
    named = {f"words_{number}": scores[:, number] for number in range(scores.shape[1])}
    return numbers(messages).assign(**named)


def read(task: Task) -> Done:
    """``read_json`` and two ``merge``."""
    with clock() as spent:
        messages = join(read_messages(task.messages, task.at_most), task)
    return Done(len(messages), spent)


def validate(task: Task) -> Done:
    """Drop what is missing, and duplicates."""
    messages = join(read_messages(task.messages, task.at_most), task)
    with clock() as spent:
        sound(messages)
    return Done(len(messages), spent)


def features(task: Task) -> Done:
    """Derive columns with the methods of ``.str``."""
    messages = sound(join(read_messages(task.messages, task.at_most), task))
    with clock() as spent:
        add_features(messages)
    return Done(len(messages), spent)


def feature_table(task: Task) -> Done:
    """From the labelled files to a table of derived columns; without vectors."""
    with clock() as spent:
        messages = add_features(sound(join(read_messages(task.labelled, task.at_most), task)))
        messages.to_parquet(Path(task.output) / "features.parquet", compression="zstd")
    return Done(len(messages), spent, "without vectors")


def training(task: Task) -> Done:
    """TF-IDF with a logistic regression on the oldest four fifths of the messages, and XGBoost on its scores."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from xgboost import XGBClassifier

    messages = add_features(sound(join(read_messages(task.labelled, task.at_most), task))).sort_values("date")
    messages = messages.head(round(0.8 * len(messages)))
    labels = messages["stars"].map(CLASS_OF_STARS)
    with clock() as spent:
        texts = messages["text"].to_list()
        words = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
            LogisticRegression(C=4.0, class_weight="balanced", max_iter=1000),
        )
        scores = cross_val_predict(words, texts, labels, cv=5, method="predict_proba")
        words.fit(texts, labels)
        named = {f"words_{number}": scores[:, number] for number in range(scores.shape[1])}
        XGBClassifier(n_estimators=200, max_depth=4, tree_method="hist").fit(numbers(messages).assign(**named), labels)
    return Done(round(len(messages) / 0.8), spent, "one fit, uncalibrated, no report")


def inference(task: Task) -> Done:
    """From the files to a table of classes with their shares, by TF-IDF and XGBoost; without vectors."""
    words, trees = trained(task)
    with clock() as spent:
        messages = add_features(sound(join(read_messages(task.messages, task.at_most), task)))
        classes = trees.predict(with_scores(words, messages))
        result = messages[["review_id"]].assign(predicted=classes)
        result["predicted"].value_counts(normalize=True)
        result.to_parquet(Path(task.output) / "predictions.parquet")
    return Done(len(messages), spent, "without vectors")


def ngrams(task: Task) -> Done:
    """TF-IDF of words and pairs, and the probabilities of a logistic regression: scikit-learn alone."""
    words, _ = trained(task)
    texts = sound(read_messages(task.messages, task.at_most))["text"].to_list()
    with clock() as spent:
        words.predict_proba(texts)
    return Done(len(texts), spent)


def each(task: Task) -> Done:
    """Reading, features and prediction one after the other, and the CPU seconds of each beside those of all."""
    words, _ = trained(task, TRAINED_LIGHTLY_ON)
    spent = {stage: Spent() for stage in ("extract and join", "features", "prediction")}
    with clock() as total:
        with clock(spent["extract and join"]):
            messages = join(read_messages(task.messages), task)
        messages = sound(messages)
        with clock(spent["features"]):
            messages = add_features(messages)
        with clock(spent["prediction"]):
            words.predict_proba(messages["text"].to_list())
    return Done(len(messages), total, facts={"cpu_seconds": {stage: one.cpu_seconds for stage, one in spent.items()}})


def drift(task: Task) -> Done:
    """Shares of the classes with a test against even ones, and a look at the probabilities."""
    from scipy.stats import chisquare

    file = predictions_file(task)
    with clock() as spent:
        predictions = pd.read_parquet(file)
        chisquare(predictions["predicted_label"].value_counts())
        predictions.filter(like="probability_").describe()
    return Done(len(predictions), spent, "shares and a test; no texts, no reference")


def report(task: Task) -> Done:
    """Shares and a summary as a page, by ``to_html``."""
    predictions = pd.read_parquet(predictions_file(task))
    with clock() as spent:
        shares = predictions["predicted_label"].value_counts(normalize=True).to_frame()
        page = shares.to_html() + predictions.describe().to_html()
        (Path(task.output) / "report.html").write_text(page)
    return Done(len(predictions), spent, "two tables, no figure")


def predictions_file(task: Task) -> Path:
    """Return the predictions that inference handed over in the data folder of the task's settings."""
    data = next(setting for setting in task.settings if setting.startswith("paths.data=")).partition("=")[2]
    return max((Path(data) / "09_inference" / "predictions").glob("*/predictions.parquet"))
