"""The model card: what a model is, for a person who has only its folder (after Mitchell et al., 2019)."""

from __future__ import annotations

from typing import Any

CARD_FILE = "model_card.md"


def model_card(manifest: dict[str, Any]) -> str:
    """Return the card of a model in Markdown.

    Parameters
    ----------
    manifest : dict
        The model's manifest.
    """
    metrics, classes = manifest["metrics"], manifest["classes"]
    rows = "\n".join(
        f"| {name} | {found['messages']:,} | {found['predicted']:,} | {found['precision']:.3f} | {found['recall']:.3f} "
        f"| {found['f1']:.3f} |"
        for name, found in metrics["classes"].items()
    )
    confusion = "\n".join(
        f"| **{name}** | " + " | ".join(f"{count:,}" for count in counts) + " |"
        for name, counts in zip(classes, metrics["confusion"], strict=True)
    )
    model = manifest["settings"]["model"]
    quality = f"weighted F1 **{metrics['f1_weighted']:.3f}** · macro F1 **{metrics['f1_macro']:.3f}**"
    return f"""# Model card

| | |
| --- | --- |
| model | {model["name"]} (`{model["estimator"]}`) |
| task | class of a message: {", ".join(classes)} |
| dataset | {manifest["dataset"]}{" (generated)" if manifest["generated_data"] else ""} |
| trained on | {manifest["training_rows"]:,} messages |
| measured on | {manifest["holdout_rows"]:,} messages, held out, from {manifest["holdout_from"][:10]} |
| feature version | {manifest["data_version"]["feature_version"]} |
| created | {manifest["created_at"]} |

## Quality on the hold-out

{quality}

| class | messages | predicted | precision | recall | F1 |
| --- | --- | --- | --- | --- | --- |
{rows}

True class (rows) against predicted class (columns):

| | {" | ".join(classes)} |
| --- |{" --- |" * len(classes)}
{confusion}

## Use and limits

- Meant for messages of the kind it was trained on; on others its figures do not hold.
- The figures are those of one split of the data; with few messages in a class they vary by several points.
- A text in another language, irony, or a message about two things at once is often misread.
"""
