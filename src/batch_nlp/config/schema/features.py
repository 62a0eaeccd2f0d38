"""Settings of the features: what is computed from each message."""

from __future__ import annotations

from pydantic import Field, model_validator

from batch_nlp.config.schema.enums import EmbeddingBackend
from batch_nlp.config.schema.section import Number, Positive, Share, Steps, refusal, section


@section
class CleanTextConfig:
    max_chars: Positive = Field(
        description="Characters kept of a message; longer messages are cut for features and models"
    )


@section
class EmbeddingConfig:
    backend: EmbeddingBackend = Field(
        description="static (distilled from MiniLM, fast), minilm (ONNX Runtime), "
        "sentence_transformers (an extra, any model) or none (no vectors)"
    )
    model: str | None = Field(
        description="Model name on the Hugging Face hub, or a local path; null takes the packaged all-MiniLM-L6-v2 "
        "weights"
    )
    dims: Positive = Field(description="Dimensions of static vectors; other backends keep those of their model")
    max_tokens: Positive = Field(description="Maximum number of tokens that the model reads of a message")
    batch_size: Positive = Field(description="Messages per forward pass of the sentence_transformers backend")
    device: str | None = Field(
        description="Device of the sentence_transformers backend (cpu, cuda, ...); null lets it choose"
    )
    cache_mb: Number = Field(
        description="Megabytes of vectors to keep, so that no text is embedded twice; the oldest are removed first. 0 "
        "keeps none. Static vectors are never kept, since computing them is faster than looking them up"
    )

    @model_validator(mode="after")
    def _backend_reads_the_model(self) -> EmbeddingConfig:
        if self.model is not None and self.backend is EmbeddingBackend.none:
            raise refusal("model", self.model, "model=null, since backend=none has no model")
        if self.model is not None and self.backend is EmbeddingBackend.minilm:
            raise refusal(
                "model",
                self.model,
                "model=null, since backend=minilm always takes the packaged all-MiniLM-L6-v2; "
                "backend=sentence_transformers takes any model, and backend=static those of model2vec",
            )
        return self


@section
class FeaturesConfig:
    name: str = Field(description="Name of the feature definition, for people; its content decides the feature version")
    clean_text: CleanTextConfig = Field(description="The step clean_text")
    embedding: EmbeddingConfig = Field(description="The step embedding")
    steps: Steps = Field(description="Steps of the feature pipeline in order, each {_target_: class, parameter: value}")


@section
class QuarantineConfig:
    max_share: Share = Field(description="Share of quarantined messages above which a run stops with exit code 3")
    min_messages: Number = Field(description="Minimum number of messages for judging that share")
