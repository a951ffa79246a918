# One fused call an optimizer step.
