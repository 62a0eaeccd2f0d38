"""The one list of code that settings and model files may name: exact names, no prefixes.

Prefixes would not be safe: a name can lead on through imported modules, as in ``logging.os.system``.
"""

from __future__ import annotations

# Feature steps with their versions. Raise a version when its step computes something else from the same settings.
# 0: the step computes nothing and does not count for the feature version
FEATURE_STEPS = {
    "batch_nlp.steps.clean_text.CleanText": 1,
    "batch_nlp.steps.date_parts.DateParts": 1,
    "batch_nlp.steps.embedding.step.Embedding": 1,
    "batch_nlp.steps.extract.Extract": 1,
    "batch_nlp.steps.keep.Keep": 0,
    "batch_nlp.steps.mask.Mask": 1,
    "batch_nlp.steps.remove_duplicates.RemoveDuplicates": 1,
    "batch_nlp.steps.sources.yelp.BusinessFeatures": 1,
    "batch_nlp.steps.sources.yelp.UserFeatures": 1,
    "batch_nlp.steps.strip_html.StripHtml": 1,
    "batch_nlp.steps.text_counts.TextCounts": 1,
    "batch_nlp.steps.validate.Validate": 1,
}
OTHER_STEPS = frozenset(
    {
        "batch_nlp.inference.predict.Predict",
        "batch_nlp.training.classifier.training",
        "batch_nlp.training.encoding.dimensionality_reducer",
        "batch_nlp.training.encoding.encoding",
        "batch_nlp.training.encoding.imputer",
        "batch_nlp.training.encoding.scaler",
    }
)
CLASSIFIERS = frozenset(
    {
        "batch_nlp.training.linear_text.LinearText",
        "batch_nlp.training.ngram_baseline.NgramBaseline",
        "batch_nlp.training.transformer.FineTunedTransformer",
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",
        "sklearn.dummy.DummyClassifier",
        "sklearn.ensemble.AdaBoostClassifier",
        "sklearn.ensemble.BaggingClassifier",
        "sklearn.ensemble.ExtraTreesClassifier",
        "sklearn.ensemble.GradientBoostingClassifier",
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.ensemble.RandomForestClassifier",
        "sklearn.linear_model.LogisticRegression",
        "sklearn.linear_model.PassiveAggressiveClassifier",
        "sklearn.linear_model.Perceptron",
        "sklearn.linear_model.RidgeClassifier",
        "sklearn.linear_model.SGDClassifier",
        "sklearn.naive_bayes.BernoulliNB",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.neighbors.KNeighborsClassifier",
        "sklearn.neural_network.MLPClassifier",
        "sklearn.svm.LinearSVC",
        "sklearn.svm.NuSVC",
        "sklearn.svm.SVC",
        "sklearn.tree.DecisionTreeClassifier",
        "sklearn.tree.ExtraTreeClassifier",
        "xgboost.XGBClassifier",
    }
)
# Our own types in a model, with their versions. Raise a version when its type keeps other parameters or attributes, or
# uses them differently. A model with another version of a type is refused
MODEL_CODE = {
    "batch_nlp.training.abstention.AbstainingClassifier": 1,
    "batch_nlp.training.calibration.IsotonicCalibrator": 1,
    "batch_nlp.training.calibration.LogisticCalibrator": 1,
    "batch_nlp.training.calibration.SoftmaxCalibrator": 1,
    "batch_nlp.training.calibration.TemperatureCalibrator": 1,
    "batch_nlp.training.encoding.EmbeddingColumns": 1,
    "batch_nlp.training.encoding.MedianImputer": 1,
    "batch_nlp.training.encoding.OneHotColumns": 1,
    "batch_nlp.training.encoding.TargetColumns": 1,
    "batch_nlp.training.landmarks.Landmarks": 1,
    "batch_nlp.training.linear_text.LinearText": 1,
    "batch_nlp.training.ngram_baseline.NgramBaseline": 1,
    "batch_nlp.training.ngram_scores.NgramScores": 2,
    "batch_nlp.training.text_weights.TextWeights": 1,
    "batch_nlp.training.transformer.estimator.FineTunedTransformer": 1,
    "batch_nlp.training.tuned_classifier.TunedClassifier": 1,
}
# Earlier versions of these types whose models are read, too
READ_TOO = {"batch_nlp.training.ngram_scores.NgramScores": {1}}
# Types in addition to those that skops trusts. A model file that names any other type is refused
MODEL_TYPES = (
    *MODEL_CODE,
    "feature_engine.selection.drop_constant_features.DropConstantFeatures",
    "feature_engine.selection.drop_correlated_features.DropCorrelatedFeatures",
    "numpy.dtype",
    "sklearn.compose._column_transformer.make_column_selector",
    # runs no code, but follows the indices in its file; the hash of the file excludes changed ones
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
)
HYDRA_TARGETS = frozenset(
    {
        "batch_nlp.experiments.sweep.SweepCallback",
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
        "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
        "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper",
        "optuna.samplers.CmaEsSampler",
        "optuna.samplers.GridSampler",
        "optuna.samplers.NSGAIISampler",
        "optuna.samplers.RandomSampler",
        "optuna.samplers.TPESampler",
    }
)
# Values that `_target_` of a step may have, in addition to those in `allow`
STEP_TARGETS = frozenset(FEATURE_STEPS) | OTHER_STEPS
