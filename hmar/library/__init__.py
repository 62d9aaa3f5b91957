"""The front door, what ``import hmar`` gives: images, models and archives for people who write Python."""
