"""Labels of whole images, taught to Expert0 on feature maps that are pooled once."""
