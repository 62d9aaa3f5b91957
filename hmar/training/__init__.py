"""Two-stage contrastive training. Needs the extra ``train``; nothing here is imported to serve."""
