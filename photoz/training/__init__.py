"""Training: pretraining on simulations, fine-tuning per split, prediction, and the rivals."""
